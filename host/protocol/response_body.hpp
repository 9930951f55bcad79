#pragma once

#include "protocol/line_splitter.hpp"
#include "protocol/stream_state.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace simdjson {
struct simdjson_error;
}

namespace chimera::host {

/// What the two stream parsers share: state, the result of the current chunk, and errors. Not used by itself.
class response_body {
  public:
    const stream_state& state() const noexcept { return state_; }

  protected:
    explicit response_body(const stream_options& options);

    /// Splits `chunk` into lines and passes each to `on_line`, until an error.
    template <class F>
    void split(std::string_view chunk, F&& on_line) {
        chunk_ = {};
        if (!state_.error) {
            const auto outcome = lines_.feed(chunk, on_line);
            if (outcome == line_splitter::outcome::oversized) fail_oversized(lines_.rejected());
        }
        chunk_.finished = state_.finished;
        chunk_.failed = state_.error.has_value();
    }

    /// Counts a record's piece of content, either part of which may be empty, and collects it.
    void add_content(std::string_view text, std::string_view reasoning);
    void note_send_time(std::int64_t t_ns) noexcept;

    /// Sets the error (the first one counts). `record` is quoted in the message.
    void fail(stream_error_kind kind, std::string_view what, std::string_view record);
    void fail_json(const simdjson::simdjson_error& error, std::string_view field, std::string_view record);
    void fail_oversized(std::string_view record);
    void fail_early_end(std::string_view missing);

    void reset_body();

    stream_options options_;
    stream_state state_;
    feed_result chunk_;
    line_splitter lines_;
};

} // namespace chimera::host
