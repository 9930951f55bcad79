// The transport's options, checked and in the units that the code uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "chimera/sdk/options.hpp"

namespace chimera::socket {

inline constexpr std::array option_schema{
    sdk::int_option("read_size", "1024", 64, 1 << 20, "Bytes asked of each recv; no piece of a body is larger"),
    sdk::enum_option("delivery", "immediate", "immediate|fill",
                     "Hand over what each recv brought, or accumulate until read_size bytes of body are there"),
    sdk::enum_option(
        "receive", "auto", "auto|readiness",
        "Let the reactor receive into its own buffers where it can, or call recv when it reports readiness"),
    sdk::bool_option("kernel_timestamps", "true", "Report when the kernel received each piece"),
    sdk::int_option("connect_timeout_ms", "10000", 0, 86'400'000,
                    "Limit on name resolution and connecting together; 0: none"),
    sdk::int_option("first_byte_timeout_ms", "300000", 0, 86'400'000,
                    "Limit on the wait from the request sent to the first byte of the final response; 0: none"),
    sdk::int_option("idle_timeout_ms", "60000", 0, 86'400'000,
                    "Limit on a pause inside the request or the response; 0: none"),
    sdk::int_option("max_header_bytes", "65536", 256, 16 << 20,
                    "Limit on the heads of one response, on a chunk's header and on the trailers"),
    sdk::int_option("max_chunk_bytes", "16777216", 1, 1LL << 40, "Limit on the size that one chunk declares"),
};

/// What the options say. Times are nanoseconds; 0 is no limit.
struct settings {
    explicit settings(const sdk::options& o)
        : read_size(static_cast<std::size_t>(o.integer("read_size"))), fill(o.choice("delivery") == "fill"),
          completions(o.choice("receive") == "auto"), kernel_timestamps(o.flag("kernel_timestamps")),
          connect_timeout_ns(nanoseconds(o, "connect_timeout_ms")),
          first_byte_timeout_ns(nanoseconds(o, "first_byte_timeout_ms")),
          idle_timeout_ns(nanoseconds(o, "idle_timeout_ms")),
          max_header_bytes(static_cast<std::uint32_t>(o.integer("max_header_bytes"))),
          max_chunk_bytes(static_cast<std::uint64_t>(o.integer("max_chunk_bytes"))) {}

    std::size_t read_size;
    bool fill;
    bool completions; // where the reactor offers them
    bool kernel_timestamps;
    std::uint64_t connect_timeout_ns, first_byte_timeout_ns, idle_timeout_ns;
    std::uint32_t max_header_bytes;
    std::uint64_t max_chunk_bytes;

  private:
    static std::uint64_t nanoseconds(const sdk::options& o, std::string_view name) {
        return static_cast<std::uint64_t>(o.integer(name)) * 1'000'000U;
    }
};

} // namespace chimera::socket
