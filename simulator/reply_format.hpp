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
    std::uint32_t tokens = 0;     ///< all that were generated, reasoning included
    bool capped = false;          ///< ended by the request's limit
    bool hides_reasoning = false; ///< reasoning tokens were generated and not sent
    std::string_view reason;      ///< the finish reason that a fault wants; empty: the reply's own
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

    /// Something that a server may send after the final record, and that means nothing.
    virtual std::string keep_alive() const { return "\n"; }

    /// A well-formed record of at least `bytes` bytes.
    virtual std::string oversized_record(std::size_t bytes) const = 0;

    token_record reasoning; ///< for the first reply_totals::reasoning_tokens tokens
    token_record content;

  protected:
    /// `natural`: of a reply that came to its end by itself.
    static std::string_view finish_reason(const reply_totals& totals, std::string_view natural) {
        return !totals.reason.empty() ? totals.reason : totals.capped ? "length" : natural;
    }

    /// What the records of these tokens would have said, in JSON form.
    std::string thought_of(const reply_totals& totals, std::span<const token_id> tokens) const {
        return joined(reasoning, totals.hides_reasoning ? 0 : totals.reasoning_tokens, tokens);
    }
    std::string answer_of(const reply_totals& totals, std::span<const token_id> tokens) const {
        const auto answer = tokens.subspan(totals.reasoning_tokens);
        return joined(content, answer.size(), answer);
    }

  private:
    static std::string joined(const token_record& record, std::size_t count, std::span<const token_id> tokens) {
        std::string text;
        for (const auto token : tokens.first(count)) {
            text += record.text_of(token);
        }
        return text;
    }
};

} // namespace chimera::sim
