#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reply_text.hpp"

namespace chimera::sim {

/// CLOCK_MONOTONIC in nanoseconds, the clock of every deadline and of `t_ns`.
inline std::int64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Turns monotonic stamps into the wall-clock text of `created_at`. The distance between the two clocks is read again
/// once per second of wall time, and the text down to the second is kept, so that a record costs nine digits.
class wall_clock {
  public:
    /// Length of `2025-11-14T03:45:12.123456789Z`.
    static constexpr std::size_t text_size = 30;

    wall_clock();

    /// Writes exactly text_size characters.
    void format(std::int64_t monotonic, char* out);

    /// Seconds since 1970.
    std::int64_t unix_seconds(std::int64_t monotonic) const { return (monotonic + offset_) / 1'000'000'000; }

  private:
    void read_offset();

    std::int64_t offset_ = 0;
    std::int64_t second_ = -1;
    char text_[32] = {};
};

/// A fixed piece of memory in which one send is put together. Callers see to it that there is room.
class record_buffer {
  public:
    explicit record_buffer(std::size_t capacity) : bytes_(std::make_unique<char[]>(capacity)), capacity_(capacity) {}

    void clear() { size_ = 0; }
    std::size_t room() const { return capacity_ - size_; }
    std::string_view view() const { return {bytes_.get(), size_}; }

    void put(std::string_view text) {
        std::memcpy(bytes_.get() + size_, text.data(), text.size());
        size_ += text.size();
    }

    /// `size` in hexadecimal and a line end: the head of an HTTP chunk.
    void put_chunk_head(std::size_t size) {
        const auto end = std::to_chars(bytes_.get() + size_, bytes_.get() + capacity_, size, 16).ptr;
        size_ = static_cast<std::size_t>(end - bytes_.get());
        put("\r\n");
    }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t size_ = 0;
};

/// The record that carries one token. All of it is rendered in advance, except for the token and the time of sending:
/// the text before the token (with `created_at` in it, if the protocol has it) and the text after it up to the digits
/// of `t_ns`.
class token_record {
  public:
    token_record() = default;

    /// `created_at` is where in `before` the 30 characters of the time stand (npos: nowhere). `after` ends just before
    /// the digits of `t_ns`; `end` closes the record.
    token_record(std::string before, std::size_t created_at, std::string after, std::string end);

    /// The record's tokens are numbers into `texts` (each in JSON form) instead of the vocabulary.
    void use_texts(std::vector<std::string> texts);

    /// Every token of the vocabulary is written as an empty text from now on. Texts of the record's own stay.
    void leave_out_text() { leaves_out_text_ = true; }

    /// The token as the record writes it, in JSON form.
    std::string_view text_of(token_id token) const {
        if (!texts_.empty()) {
            return texts_[token];
        }
        return leaves_out_text_ ? "" : token_json(token); // "", not {}: memcpy takes no null pointer
    }

    /// Sets the moment of sending of the records written from now on. Does not allocate.
    void stamp(std::int64_t t_ns, wall_clock& clock);

    /// Bytes of one record that carries `token`, without chunk framing.
    std::size_t size_with(token_id token) const { return before_.size() + text_of(token).size() + after_.size(); }

    /// No record is longer, chunk framing included.
    std::size_t longest() const { return before_.size() + longest_text_ + after_.size() + chunk_framing; }

    /// Writes one record for each token, `per_chunk` to an HTTP chunk; `chunked` false: bare records.
    void write(record_buffer& out, std::span<const token_id> tokens, std::size_t per_chunk, bool chunked) const;

  private:
    static constexpr std::size_t chunk_framing = 24;

    std::string before_;
    std::size_t created_at_ = std::string::npos;
    std::string after_;
    std::size_t digits_at_ = 0;
    std::string end_;
    std::vector<std::string> texts_;
    std::size_t longest_text_ = longest_token;
    bool leaves_out_text_ = false;
};

/// The figures of a finished reply. Durations in nanoseconds, from the server's own clock.
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

    /// The text of these tokens' records, in JSON form.
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
