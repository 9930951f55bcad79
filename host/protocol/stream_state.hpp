#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace chimera::host {

/// Why a response stream is not a good one.
enum class stream_error_kind : std::uint8_t {
    garbage,      ///< a record is not JSON
    protocol,     ///< JSON, but not what this API sends (missing or mistyped field, data after the end)
    oversized,    ///< a record is longer than stream_options::max_record_bytes
    server_error, ///< the server sent an error record inside the stream
    early_end,    ///< the body ended before the final record (Ollama) or [DONE] (OpenAI)
};

/// "garbage", "protocol", ...: the name used in messages and result files.
const char* name_of(stream_error_kind kind) noexcept;

struct stream_error {
    stream_error_kind kind = stream_error_kind::garbage;
    std::uint64_t record =
        0;               ///< 1-based index of the offending record in the body; for early_end, of the last one seen
    std::string message; ///< one line: what is wrong, with an excerpt of the record
};

/// What the server itself says about the request, from the final record (Ollama) or the usage record (OpenAI). Absent
/// means that the server did not say. Durations in nanoseconds.
struct server_figures {
    std::optional<std::uint64_t> prompt_tokens;
    std::optional<std::uint64_t> completion_tokens;
    std::optional<std::int64_t> total_ns;
    std::optional<std::int64_t> load_ns;
    std::optional<std::int64_t> prompt_eval_ns;
    std::optional<std::int64_t> eval_ns;
    std::string finish_reason; ///< done_reason or finish_reason ("stop", "length", ...); empty when not given
};

struct stream_options {
    std::size_t max_record_bytes = std::size_t{4} << 20U;   ///< longer records end the stream with `oversized`
    std::size_t reserve_text_bytes = std::size_t{8} << 10U; ///< reserved for the response text; nothing for reasoning
    bool keep_text = true; ///< false: content is counted but not collected, and its escapes are not decoded
};

/// What one chunk of the body brought. A record counts for the chunk that completes it.
struct feed_result {
    std::uint32_t content_records = 0;   ///< records with a non-empty piece of content, reasoning included
    std::uint32_t reasoning_records = 0; ///< those of them that carry reasoning content only
    bool first_content = false;          ///< the stream's first content record is in this chunk
    bool finished = false;               ///< the final record or [DONE] has been seen, now or before
    bool failed = false;                 ///< stream_state::error is set; what is fed from now on is ignored
    std::int64_t first_t_ns = 0; ///< send time (`t_ns`, CLOCK_MONOTONIC) of the chunk's first record that has one
    std::int64_t last_t_ns = 0;  ///< the same of its last; both 0 when the server does not stamp records
};

/// Everything known about the response so far. Owned by the stream; valid until its reset.
struct stream_state {
    std::uint64_t records = 0;           ///< JSON records, whatever they carry
    std::uint64_t content_records = 0;   ///< as in feed_result, over the whole stream
    std::uint64_t reasoning_records = 0; ///< as in feed_result, over the whole stream
    bool first_content_was_reasoning = false;
    bool finished = false;
    std::optional<stream_error> error;
    server_figures figures;
    std::string text;      ///< the response; empty with keep_text = false
    std::string reasoning; ///< reasoning content; empty with keep_text = false
};

} // namespace chimera::host
