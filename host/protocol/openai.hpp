#pragma once

#include "protocol/response_body.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chimera::host {

struct openai_record;
struct plain_openai_record;

/// Reads the server-sent events of an OpenAI-compatible `POST /v1/chat/completions` or `/v1/completions` with
/// `stream: true` as they arrive.
///
/// Lines are those of the WHATWG standard. A `data:` line that is JSON by itself, or `[DONE]`, is taken at the end of
/// the line: some servers leave the blank line out. Other data is joined up to the blank line. An error that is not
/// framed as an event is read as well. Content is `delta`, `text` or `message` of the one choice that was asked for,
/// whatever its index: text, reasoning under any of its names, pieces of tool calls. Token counts come from `usage`, in
/// a record of its own or in each; the last that is not 0 counts. `[DONE]` ends the stream, or the end of the body
/// after a finish reason. `t_ns` as in ollama_stream. Threads and allocation as in ollama_stream.
class openai_stream : public response_body {
  public:
    explicit openai_stream(const stream_options& options = {}) : response_body(options) {}

    /// Takes the next piece of the body, cut anywhere, of any length. `chunk` need not outlive the call.
    feed_result feed(std::string_view chunk);

    /// To be called once at the end of the body: reads what was not ended by a line end or a blank line, and reports a
    /// body with neither `[DONE]` nor a finish reason as `early_end`.
    feed_result finish();

    /// Ready for another body; keeps the memory of the text.
    void reset();

  private:
    enum class outcome { taken, failed, not_json };

    static constexpr std::int64_t no_index = INT64_MIN;

    bool on_line(record_view line);
    bool on_rare_line(record_view line);
    bool on_whole_line(record_view line);
    bool on_other_line(record_view line);
    bool on_data(record_view data);
    bool on_unframed(record_view line);
    bool on_end_mark();
    bool keep(std::string_view data);
    bool end_event();
    void take(const plain_openai_record& record);
    outcome read(record_view event, bool framed);
    bool apply(const openai_record& record, std::string_view event, bool framed);
    bool choice_counts(std::int64_t index);
    void settle_on(std::int64_t index) noexcept;
    void note_same_index() noexcept;
    std::optional<std::int64_t> choice_to_read() const noexcept;

    /// A data line may be read at once: the answer has not ended, and nothing of the event is known or kept.
    bool ready_ = true;
    bool begun_ = false;           ///< the first line was looked at for a byte order mark
    bool is_error_event_ = false;  ///< `event: error`
    bool is_pending_ = false;      ///< pending_ has data of the event
    bool is_pending_text_ = false; ///< which cannot become JSON
    padded_buffer pending_;
    const char* json_fault_ = ""; ///< of the last record that was not JSON

    // The one choice. Its index is any; a choice whose index comes back after another one was a second one.
    int same_index_ = 0; ///< records in a row that repeated the index before them
    std::int64_t first_index_ = no_index, last_index_ = no_index, highest_index_ = no_index;
    bool is_settled_ = false; ///< last_index_ is the choice's
};

} // namespace chimera::host
