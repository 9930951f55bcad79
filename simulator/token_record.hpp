#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record_buffer.hpp"
#include "reply_text.hpp"
#include "timestamp.hpp"

namespace chimera::sim {

/// The record that carries one token, rendered beforehand but for the token and the moment of sending: what goes before
/// the token (with `created_at` in it, where the protocol has one) and what follows it up to the digits of `t_ns`.
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

} // namespace chimera::sim
