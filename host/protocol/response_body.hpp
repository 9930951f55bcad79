// The body of a response, as both kinds of streams see it: lines, or one document in place of a stream.
#pragma once

#include "protocol/line_splitter.hpp"
#include "protocol/stream_state.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::host {

/// Gathers a body, or the rest of one, that is one document in place of a stream: JSON over several lines, or HTML.
class whole_body {
  public:
    static constexpr std::size_t most_bytes = std::size_t{64} << 10U;

    /// Whether a line begins such a document: with `{`, `[` or `<` after blanks.
    static bool begins_with(std::string_view line) noexcept;

    bool gathering() const noexcept { return !text_.empty(); }

    /// Takes a line. True: the document is complete, or has become too long, or cannot become JSON.
    bool add(std::string_view line);

    std::string_view text() const noexcept { return text_; }
    bool is_markup() const noexcept;

    void reset() noexcept;

  private:
    std::string text_;
    std::size_t depth_ = 0; ///< of JSON: brackets that are open
};

/// The base of both stream parsers: state, the result of the current chunk, and errors.
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

    /// The end of each call: fills in the flags of chunk_.
    void tell() noexcept {
        chunk_.finished = state_.finished;
        chunk_.instead_of_stream = body_.gathering() && !state_.error;
        chunk_.failed = state_.error.has_value();
    }

    /// Counts a record's piece of content, any part of which may be empty, and collects it.
    void add_content(std::string_view text, std::string_view reasoning, std::uint64_t tool_call_bytes = 0);
    void note_send_time(std::int64_t t_ns) noexcept;
    void skip_record(std::string_view record);
    /// Notes a figure that was not taken. Only the first one is kept.
    void note_unreadable(const std::string& figure);

    /// The end of the answer: later records do not count, and the stream cannot fail any more.
    void complete();
    /// A record after the end of the answer.
    void pass_over() noexcept { ++state_.records_after_end; }

    /// Sets the error; only the first one is kept. `record` is quoted in the message.
    void fail(stream_error_kind kind, std::string_view what, std::string_view record);
    /// `words`: the server's own, already fit for a message.
    void fail_server_error(std::string_view what, std::string_view words);
    /// For a record that could not be read: if it is JSON, sets the error and returns true.
    bool fail_if_json(std::string_view field, std::string_view record);
    /// For a record that is not JSON: a server's error text, or garbage. `reason`: the JSON parser's words.
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
    std::string first_ignored_; ///< an excerpt of the first line that has no meaning in an event stream

  private:
    void on_oversized();

    bool overlong_behind_end_ = false; ///< a record after the end is too long: nothing is counted from there on
};

/// Whether a text may be the beginning of JSON that goes on in another line, rather than words. A byte order mark in
/// front of it is skipped, as JSON parsers do.
bool may_begin_json(std::string_view text) noexcept;

} // namespace chimera::host
