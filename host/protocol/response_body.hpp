#pragma once

#include "protocol/line_splitter.hpp"
#include "protocol/stream_state.hpp"
#include "protocol/whole_body.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::host {

/// What the two stream parsers share: state, the result of the current chunk, and errors. Not used by itself.
class response_body {
  public:
    const stream_state& state() const noexcept { return state_; }

  protected:
    explicit response_body(const stream_options& options);

    /// Splits `chunk` into lines and passes each to `on_line`, until an error.
    template <line_splitter::ends Ends, class F>
    void split(std::string_view chunk, F&& on_line) {
        chunk_ = {};
        if (!state_.error && !overlong_behind_end_) {
            const auto outcome = lines_.feed<Ends>(chunk, on_line);
            if (outcome == line_splitter::outcome::oversized) on_oversized();
        }
        tell();
    }

    /// The end of each call: what the chunk led to.
    void tell() noexcept {
        chunk_.finished = state_.finished;
        chunk_.instead_of_stream = body_.gathering() && !state_.error;
        chunk_.failed = state_.error.has_value();
    }

    /// Counts a record's piece of content, any part of which may be empty, and collects it.
    void add_content(std::string_view text, std::string_view reasoning, std::uint64_t tool_call_bytes = 0);
    void note_send_time(std::int64_t t_ns) noexcept;
    void skip_record(std::string_view record);
    /// Notes a figure that was not taken; the first one counts.
    void note_unreadable(const std::string& figure);

    /// The end of the answer: no record counts from now on, and nothing can fail any more.
    void complete();
    /// A record behind the end of the answer.
    void pass_over() noexcept { ++state_.records_after_end; }

    /// Sets the error (the first one counts). `record` is quoted in the message.
    void fail(stream_error_kind kind, std::string_view what, std::string_view record);
    /// The server's own words, already fit for a message.
    void fail_server_error(std::string_view what, std::string_view words);
    /// `record` could not be read. If it is JSON: sets the error and returns true.
    bool fail_if_json(std::string_view field, std::string_view record);
    /// `record` is not JSON: text of a server that says what is wrong, or garbage. `reason`: the JSON parser's words.
    void fail_not_json(std::string_view record, std::string_view reason);
    /// `body_` is a document in place of a stream.
    void fail_whole_body();
    void fail_oversized(std::string_view record);
    /// `missing`: the end that the body lacks; `expected`: the fields of this API's records.
    void fail_early_end(std::string_view missing, std::string_view expected);

    /// Takes a line of a document in place of a stream; returns whether to go on.
    bool gather(std::string_view line);

    void reset_body();

    stream_options options_;
    stream_state state_;
    feed_result chunk_;
    line_splitter lines_;
    whole_body body_;
    std::string first_ignored_; ///< the first line that has no meaning in an event stream

  private:
    void on_oversized();

    bool overlong_behind_end_ = false; ///< a record behind the end is too long: nothing is counted from there on
};

inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Whether a text may be the beginning of JSON that goes on in another line, and not words. A byte order mark before it
/// is none: JSON's parsers skip it.
bool may_begin_json(std::string_view text) noexcept;

} // namespace chimera::host
