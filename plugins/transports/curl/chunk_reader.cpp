#include "chunk_reader.hpp"

#include <string>

#include "http1/http_text.hpp"

namespace chimera::curl {

std::exception_ptr chunk_reader::error_of(limit which) const {
    switch (which) {
    case limit::digits:
        return std::make_exception_ptr(
            http1::bad_message("a chunk's size has more than 16 digits, the most that curl takes"));
    case limit::chunk:
        return std::make_exception_ptr(
            sdk::error(CHM_E_LIMIT, "the server declared a chunk of more bytes than curl can count"));
    case limit::framing:
        break;
    }
    return std::make_exception_ptr(
        sdk::error(CHM_E_LIMIT, "the server sent more than 64 KiB of chunk framing or trailers"));
}

void chunk_reader::check_trailer(std::string_view line, char next) const {
    if (line.ends_with('\r'))
        throw http1::bad_message("a trailer has a carriage return without a line feed: " +
                                 http1::shown(std::string(line) + next));
    if (line.size() > max_trailer)
        throw sdk::error(CHM_E_LIMIT, "the server sent a trailer of more than " + std::to_string(max_trailer) +
                                          " bytes, which curl does not take");
}

} // namespace chimera::curl
