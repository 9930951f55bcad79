// The readers of a streamed reply: one for the APIs of Ollama, one for those of OpenAI, and one for any of them.
#pragma once

#include "protocol/llm_api.hpp"
#include "protocol/response_body.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace chimera::host {

/// Reads the NDJSON body of Ollama's `POST /api/generate` and `/api/chat` as it arrives. Each line is a record; the
/// last one has `done: true` and the server's own durations. Content is `response`, or `message` with `content` and
/// `tool_calls`; `thinking` beside it is reasoning. Lines framed as server-sent events, which some proxies send, are
/// read as well. `t_ns` in a record is the time at which the server sent it (chimera-sim writes it).
///
/// Used by one thread at a time. A record costs no allocation once the thread's JSON parser is warm, as long as the
/// text fits into its reserve.
class ollama_stream : public response_body {
  public:
    explicit ollama_stream(const stream_options& options = {}) : response_body(options) {}

    /// Takes the next piece of the body, cut anywhere, of any length. `chunk` need not outlive the call.
    feed_result feed(std::string_view chunk);

    /// Call it once at the end of the body: reads a last record without a line end, and reports a body without a final
    /// record as `early_end`.
    feed_result finish();

    /// Prepares for another body; keeps the memory of the text.
    void reset();

  private:
    bool on_line(record_view line);
    bool on_rare_line(record_view line);
    bool on_record(record_view line);

    bool begun_ = false; ///< the first line was searched for a byte order mark
};

struct openai_record;
struct plain_openai_record;

/// Reads the server-sent events of an OpenAI-compatible `POST /v1/chat/completions` or `/v1/completions` with
/// `stream: true` as they arrive.
///
/// Lines follow the WHATWG standard. A `data:` line that is JSON by itself, or `[DONE]`, is taken at the end of the
/// line, because some servers leave the blank line out. Other data is joined up to the blank line. An error that is not
/// framed as an event is read as well. Content is `delta`, `text` or `message` of the one choice that was requested,
/// under any index: text, reasoning under any of its names, pieces of tool calls. Token counts come from `usage`, in a
/// record of its own or in each; the last count that is not 0 is taken. The stream ends with `[DONE]`, or with the end
/// of the body after a finish reason. `t_ns`, threads and allocation: as in ollama_stream.
class openai_stream : public response_body {
  public:
    explicit openai_stream(const stream_options& options = {}) : response_body(options) {}

    /// Takes the next piece of the body, cut anywhere, of any length. `chunk` need not outlive the call.
    feed_result feed(std::string_view chunk);

    /// Call it once at the end of the body: reads a last line or event without its end, and reports a body with neither
    /// `[DONE]` nor a finish reason as `early_end`.
    feed_result finish();

    /// Prepares for another body; keeps the memory of the text.
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
    bool begun_ = false;           ///< the first line was searched for a byte order mark
    bool is_error_event_ = false;  ///< `event: error`
    bool is_pending_ = false;      ///< pending_ has data of the event
    bool is_pending_text_ = false; ///< which cannot become JSON
    padded_buffer pending_;
    const char* json_fault_ = ""; ///< of the last record that was not JSON

    // The one choice. It may have any index. An index that comes back after another one belongs to a second choice.
    int same_index_ = 0; ///< records in a row that repeated the index before them
    std::int64_t first_index_ = no_index, last_index_ = no_index, highest_index_ = no_index;
    bool is_settled_ = false; ///< last_index_ is the choice's
};

/// The response stream of any API, held by value: one branch for each chunk, none for each record. Threads, lifetimes
/// and allocation: as in ollama_stream.
class llm_stream {
  public:
    explicit llm_stream(llm_api api, const stream_options& options = {})
        : stream_(is_ollama(api) ? either(ollama_stream(options)) : either(openai_stream(options))) {}

    feed_result feed(std::string_view chunk) {
        return std::visit([chunk](auto& stream) { return stream.feed(chunk); }, stream_);
    }
    feed_result finish() {
        return std::visit([](auto& stream) { return stream.finish(); }, stream_);
    }
    void reset() {
        std::visit([](auto& stream) { stream.reset(); }, stream_);
    }
    const stream_state& state() const noexcept {
        return std::visit([](const auto& stream) -> const stream_state& { return stream.state(); }, stream_);
    }

  private:
    using either = std::variant<ollama_stream, openai_stream>;

    either stream_;
};

} // namespace chimera::host
