// The state of one streamed reply: its text, its figures, its error, and what was unusual about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// Why a response stream failed.
enum class stream_error_kind : std::uint8_t {
    garbage,      ///< a record is not JSON
    protocol,     ///< JSON, but not of this API (missing or mistyped field, not streamed)
    oversized,    ///< a record is longer than stream_options::max_record_bytes
    server_error, ///< the server sent an error, in a record or in place of the stream
    early_end,    ///< the body ended before the final record (Ollama) or a finish reason and [DONE] (OpenAI)
};

/// "garbage", "protocol", ...: the name in messages and result files.
const char* name_of(stream_error_kind kind) noexcept;

struct stream_error {
    stream_error_kind kind = stream_error_kind::garbage;
    std::uint64_t record = 0; ///< 1-based index of the bad record in the body; for early_end, of the last record
    std::string message;      ///< one line: the fault, with an excerpt of the record
};

/// The server's own figures of the request, from the final record (Ollama) or the usage record (OpenAI). Absent: the
/// server did not send it, or sent something that is not a count or a duration (see stream_state::unreadable_figure).
/// Durations in nanoseconds.
struct server_figures {
    std::optional<std::uint64_t> prompt_tokens;
    std::optional<std::uint64_t> completion_tokens; ///< reasoning included
    std::optional<std::uint64_t> reasoning_tokens;  ///< the part of completion_tokens that is reasoning
    std::optional<std::int64_t> total_ns;
    std::optional<std::int64_t> load_ns;
    std::optional<std::int64_t> prompt_eval_ns;
    std::optional<std::int64_t> eval_ns;
    std::string finish_reason; ///< done_reason or finish_reason ("stop", "length", ...); empty when not given
};

struct stream_options {
    std::size_t max_record_bytes = std::size_t{4} << 20U;   ///< a longer record ends the stream with `oversized`
    std::size_t reserve_text_bytes = std::size_t{8} << 10U; ///< reserved for the response text; nothing for reasoning
    bool keep_text = true; ///< false: content is counted but not collected, and its escapes are not decoded
};

/// The news of one chunk of the body. A record counts for the chunk that completes it.
struct feed_result {
    std::uint32_t content_records = 0;   ///< records with a non-empty piece of text, reasoning or a tool call
    std::uint32_t reasoning_records = 0; ///< of these, the ones with reasoning only
    std::uint32_t tool_call_records = 0; ///< of these, the ones with a piece of a tool call and no text
    bool first_content = false;          ///< the stream's first content record is in this chunk
    bool finished = false;               ///< the final record or [DONE] has been seen, now or before
    bool instead_of_stream = false;      ///< a document in place of a stream is being gathered: JSON or HTML
    bool failed = false;                 ///< stream_state::error is set; later chunks are ignored
    std::int64_t first_t_ns = 0; ///< send time (`t_ns`, CLOCK_MONOTONIC) of the chunk's first record that has one
    std::int64_t last_t_ns = 0;  ///< the same of its last; both 0 when the server does not stamp records

    /// Adds the result of the next chunk, as if both chunks had been one.
    feed_result& operator+=(const feed_result& next) noexcept {
        content_records += next.content_records;
        reasoning_records += next.reasoning_records;
        tool_call_records += next.tool_call_records;
        first_content = first_content || next.first_content;
        finished = finished || next.finished;
        instead_of_stream = next.instead_of_stream;
        failed = failed || next.failed;
        if (first_t_ns == 0) first_t_ns = next.first_t_ns;
        if (next.last_t_ns != 0) last_t_ns = next.last_t_ns;
        return *this;
    }
};

/// Everything known about the response so far. Owned by the stream; valid until its reset.
struct stream_state {
    std::uint64_t records = 0;           ///< JSON records of any kind
    std::uint64_t content_records = 0;   ///< as in feed_result, over the whole stream
    std::uint64_t reasoning_records = 0; ///< as in feed_result, over the whole stream
    std::uint64_t tool_call_records = 0; ///< as in feed_result, over the whole stream
    std::uint64_t text_bytes = 0;        ///< of text, reasoning and tool calls, decoded; counted with keep_text only
    bool first_content_was_reasoning = false;
    bool finished = false;
    std::optional<stream_error> error;
    server_figures figures;
    std::string text;      ///< the response; empty with keep_text = false
    std::string reasoning; ///< reasoning content; empty with keep_text = false

    // Passed over, or read in another way than the API documents. remarks_on() reports each of these.
    std::uint64_t other_choice_records = 0; ///< pieces of a second choice, although the request asked for one
    std::uint64_t skipped_records = 0;      ///< records without a field that this API knows, such as heartbeats
    std::uint64_t records_after_end = 0;    ///< after the final record or [DONE]; never read
    std::uint64_t broken_characters = 0;    ///< records with half a surrogate pair or bytes that are not UTF-8
    std::uint64_t unframed_records = 0;     ///< OpenAI: JSON lines without `data:`
    std::uint64_t framed_records = 0;       ///< Ollama: JSON lines with `data:`
    std::uint64_t skipped_parts = 0;        ///< content parts that are neither text nor reasoning, such as images
    bool end_mark_missing = false;          ///< OpenAI: the body ended after a finish reason without [DONE]
    bool zero_usage = false;                ///< the server counted 0 tokens beside content; the count is not taken
    std::string first_skipped;              ///< an excerpt of the first skipped record
    std::string unreadable_figure;          ///< the first figure that was not taken: "eval_count: -1"
};

/// Something unusual about a reply that did not fail.
struct remark {
    std::string_view what; ///< a sentence without figures, so that replies of one kind can be counted; static
    std::string detail;    ///< its figures or an excerpt; may be empty
};

/// The remarks about a reply, in the order of the members above; empty for a reply as the API documents it.
std::vector<remark> remarks_on(const stream_state&);

} // namespace chimera::host
