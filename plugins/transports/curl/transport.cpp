#include "transport.hpp"

#include <unistd.h>

#include "session.hpp"
#include "url.hpp"

namespace chimera::curl {

namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;

settings checked(const sdk::options& given) {
    settings s{static_cast<long>(given.integer("buffer_size")),
               static_cast<std::size_t>(given.integer("high_water")),
               static_cast<long>(given.integer("connect_timeout_ms")),
               static_cast<std::uint64_t>(given.integer("first_byte_timeout_ms")) * ns_per_ms,
               static_cast<std::uint64_t>(given.integer("idle_timeout_ms")) * ns_per_ms,
               given.flag("tls_verify"),
               std::string(given.text("ca_file")),
               proxy_choice::parse(given.text("proxy"))};
    if (s.high_water < static_cast<std::size_t>(s.buffer_size))
        throw sdk::error(CHM_E_INVAL, "option 'high_water': " + std::to_string(s.high_water) +
                                          " is less than buffer_size, " + std::to_string(s.buffer_size));
    if (!s.ca_file.empty() && ::access(s.ca_file.c_str(), R_OK) != 0)
        throw sdk::error(CHM_E_INVAL, "option 'ca_file': cannot read '" + s.ca_file + "'");
    return s;
}

} // namespace

transport::transport(const chm_host*, const sdk::options& given) : settings_(checked(given)) {}

chm_session* transport::open(const chm_session_args& args) {
    base_url base = base_url::parse(sdk::view(args.base_url));
    if (!args.reactor)
        throw sdk::error(CHM_E_NOSYS, "the curl transport needs a reactor, and this executor has none: choose another "
                                      "executor or the socket transport, or wrap it in a bridge");
    return new session(settings_, *args.reactor, std::move(base));
}

const void* transport::extension(std::string_view id) noexcept {
    return id == CHM_EXT_TIMING ? &exchange::timing_extension : nullptr;
}

} // namespace chimera::curl
