#include "settings.hpp"

#include <unistd.h>

#include <string_view>

#include "chimera/sdk/error.hpp"

namespace chimera::h2 {

namespace {

std::uint64_t nanoseconds(const sdk::options& o, std::string_view name) {
    return static_cast<std::uint64_t>(o.integer(name)) * 1'000'000U;
}

} // namespace

settings::settings(const sdk::options& o)
    : shared(o.choice("share") == "worker"), connections(static_cast<std::size_t>(o.integer("connections"))),
      stream_window(static_cast<std::uint32_t>(o.integer("stream_window"))),
      connection_window(static_cast<std::uint32_t>(o.integer("connection_window"))),
      read_size(static_cast<std::size_t>(o.integer("read_size"))), kernel_timestamps(o.flag("kernel_timestamps")),
      connect_timeout_ns(nanoseconds(o, "connect_timeout_ms")),
      first_byte_timeout_ns(nanoseconds(o, "first_byte_timeout_ms")),
      idle_timeout_ns(nanoseconds(o, "idle_timeout_ms")),
      max_header_bytes(static_cast<std::size_t>(o.integer("max_header_bytes"))), tls_verify(o.flag("tls_verify")),
      ca_file(o.text("ca_file")) {
    if (!ca_file.empty() && ::access(ca_file.c_str(), R_OK) != 0)
        throw sdk::error(CHM_E_INVAL, "option 'ca_file': cannot read '" + ca_file + "'");
}

} // namespace chimera::h2
