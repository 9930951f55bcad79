#pragma once

#include "protocol/response_body.hpp"

#include <string_view>

namespace chimera::host {

/// Reads the NDJSON body of Ollama's `POST /api/generate` and `/api/chat` as it arrives. One record a line; the one
/// with `done: true` is the last and carries the server's own durations. Content is `response`, or `message` with
/// `content` and `tool_calls`; `thinking` beside it is reasoning content. Lines framed as server-sent events, as some
/// proxies send them, are read as well. `t_ns` in a record is the time at which the server sent it (chimera-sim stamps
/// it).
///
/// Used by one thread at a time. No allocation per record, once a thread's JSON parser is warm and while the text fits
/// what was reserved for it.
class ollama_stream : public response_body {
  public:
    explicit ollama_stream(const stream_options& options = {}) : response_body(options) {}

    /// Takes the next piece of the body, cut anywhere, of any length. `chunk` need not outlive the call.
    feed_result feed(std::string_view chunk);

    /// To be called once at the end of the body: reads a last record that has no line end, and reports a body without a
    /// final record as `early_end`.
    feed_result finish();

    /// Ready for another body; keeps the memory of the text.
    void reset();

  private:
    bool on_line(record_view line);
    bool on_rare_line(record_view line);
    bool on_record(record_view line);

    bool begun_ = false; ///< the first line was looked at for a byte order mark
};

} // namespace chimera::host
