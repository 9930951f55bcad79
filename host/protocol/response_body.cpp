#include "protocol/response_body.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <simdjson.h>

namespace chimera::host {

const char* name_of(stream_error_kind kind) noexcept {
    switch (kind) {
    case stream_error_kind::garbage:
        return "garbage";
    case stream_error_kind::protocol:
        return "protocol";
    case stream_error_kind::oversized:
        return "oversized";
    case stream_error_kind::server_error:
        return "server_error";
    case stream_error_kind::early_end:
        return "early_end";
    }
    return "unknown";
}

response_body::response_body(const stream_options& options) : options_(options), lines_(options.max_record_bytes) {
    reset_body();
}

void response_body::reset_body() {
    std::string text = std::move(state_.text);
    std::string reasoning = std::move(state_.reasoning);
    text.clear();
    reasoning.clear();
    state_ = {};
    state_.text = std::move(text);
    state_.reasoning = std::move(reasoning);
    if (options_.keep_text) state_.text.reserve(options_.reserve_text_bytes);
    chunk_ = {};
    lines_.reset();
}

void response_body::add_content(std::string_view text, std::string_view reasoning) {
    if (text.empty() && reasoning.empty()) return;
    const bool only_reasoning = text.empty();
    if (state_.content_records == 0) {
        chunk_.first_content = true;
        state_.first_content_was_reasoning = only_reasoning;
    }
    ++chunk_.content_records;
    ++state_.content_records;
    if (only_reasoning) {
        ++chunk_.reasoning_records;
        ++state_.reasoning_records;
    }
    if (!options_.keep_text) return;
    state_.text.append(text);
    state_.reasoning.append(reasoning);
}

void response_body::note_send_time(std::int64_t t_ns) noexcept {
    if (chunk_.first_t_ns == 0) chunk_.first_t_ns = t_ns;
    chunk_.last_t_ns = t_ns;
}

void response_body::fail(stream_error_kind kind, std::string_view what, std::string_view record) {
    if (state_.error) return;
    state_.error =
        stream_error{kind, state_.records, fmt::format("record {}: {}: {}", state_.records, what, excerpt(record))};
}

void response_body::fail_json(const simdjson::simdjson_error& error, std::string_view field, std::string_view record) {
    // The on-demand parser does not tell a value of another type from no value at all; here there is time to look.
    if (nlohmann::json::accept(record)) {
        const auto what =
            field.empty() ? std::string("not a JSON object") : fmt::format("field '{}' has a wrong type", field);
        fail(stream_error_kind::protocol, what, record);
    } else {
        fail(stream_error_kind::garbage, fmt::format("not valid JSON ({})", error.what()), record);
    }
}

void response_body::fail_oversized(std::string_view record) {
    ++state_.records;
    fail(stream_error_kind::oversized, fmt::format("longer than the limit of {} bytes", options_.max_record_bytes),
         record);
}

void response_body::fail_early_end(std::string_view missing) {
    if (state_.error) return;
    state_.error = stream_error{stream_error_kind::early_end, state_.records,
                                fmt::format("the body ended after {} record{} without {}", state_.records,
                                            state_.records == 1 ? "" : "s", missing)};
}

} // namespace chimera::host
