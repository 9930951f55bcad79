// The transport's options, checked and in the units that the code uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "chimera/sdk/options.hpp"

namespace chimera::h2 {

inline constexpr std::array option_schema{
    sdk::enum_option("share", "worker", "worker|session",
                     "One connection for all sessions of an executor's worker, or one for each session"),
    sdk::int_option(
        "connections", "1", 1, 1024,
        "Connections of a worker: another one is opened when the server takes no more streams on the others"),
    sdk::int_option("stream_window", "262144", 1024, (1LL << 31) - 1,
                    "Bytes of a body that the server may send before its reader takes them"),
    sdk::int_option("connection_window", "1048576", 65535, (1LL << 31) - 1,
                    "Bytes that the server may send on a connection before it is read"),
    sdk::int_option("read_size", "65536", 1024, 1 << 20, "Bytes asked of each recv"),
    sdk::bool_option("kernel_timestamps", "true", "Report when the kernel received each piece"),
    sdk::int_option("connect_timeout_ms", "10000", 0, 86'400'000,
                    "Limit on name resolution, connecting and TLS handshake together; 0: none"),
    sdk::int_option("first_byte_timeout_ms", "300000", 0, 86'400'000,
                    "Limit on the wait from the request sent to the first byte of the final response; 0: none"),
    sdk::int_option("idle_timeout_ms", "60000", 0, 86'400'000,
                    "Limit on a pause inside the request or the response; 0: none"),
    sdk::int_option("max_header_bytes", "65536", 256, 16 << 20, "Limit on the heads of one response"),
    sdk::bool_option("tls_verify", "true", "Check the server's certificate and host name"),
    sdk::string_option("ca_file", "", "PEM file of trusted certificates; empty: the system's"),
};

/// The options as numbers. Times are nanoseconds; 0: no limit.
struct settings {
    /// Throws sdk::error(CHM_E_INVAL), also for a ca_file that cannot be read.
    explicit settings(const sdk::options& o);

    bool shared; // among the sessions of a worker
    std::size_t connections;
    std::uint32_t stream_window, connection_window;
    std::size_t read_size;
    bool kernel_timestamps;
    std::uint64_t connect_timeout_ns, first_byte_timeout_ns, idle_timeout_ns;
    std::size_t max_header_bytes;
    bool tls_verify;
    std::string ca_file; // empty: the system's
};

} // namespace chimera::h2
