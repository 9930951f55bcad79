#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reply_text.hpp"
#include "timestamp.hpp"
#include "token_record.hpp"

namespace chimera::sim {

/// What a finished reply reports about itself. Durations in nanoseconds, from the server's own clock.
struct reply_totals {
    std::int64_t total = 0;       ///< request complete -> final record sent
    std::int64_t load = 0;        ///< waiting for this request's model to be loaded
    std::int64_t prompt_eval = 0; ///< prefill
    std::int64_t eval = 0;        ///< start of decoding -> last token sent
    std::uint32_t prompt_tokens = 0;
    std::uint32_t reasoning_tokens = 0;
    std::uint32_t tokens = 0; ///< all that were generated, reasoning included
    bool capped = false;      ///< ended by the request's limit
};

/// How one request's reply looks on the wire. Made for the request by its protocol.
class reply_format {
  public:
    virtual ~reply_format() = default;

    virtual std::string_view stream_type() const = 0;

    /// Record sent when decoding starts, before any token; empty where the protocol has none.
    virtual std::string opening(std::int64_t /*t_ns*/) { return {}; }

    /// Records after the last token, each for an HTTP chunk of its own.
    virtual std::vector<std::string> closing(const reply_totals& totals, std::int64_t t_ns, wall_clock& clock) = 0;

    /// The one body of a reply that is not streamed.
    virtual std::string whole(const reply_totals& totals, std::span<const token_id> tokens, std::int64_t t_ns,
                              wall_clock& clock) = 0;

    /// Body of an error response.
    virtual std::string error_body(int status, std::string_view message) const = 0;

    /// `json` as a record of the stream.
    virtual std::string as_record(std::string_view json) const = 0;

    /// A well-formed record of at least `bytes` bytes.
    virtual std::string oversized_record(std::size_t bytes) const = 0;

    token_record reasoning; ///< for the first reply_totals::reasoning_tokens tokens
    token_record content;
};

} // namespace chimera::sim
