#pragma once

#include "protocol/response_body.hpp"

#include <string_view>

namespace chimera::host {

/// Reads the server-sent events of an OpenAI-compatible `POST /v1/chat/completions` with `stream: true` as they arrive.
///
/// Events are `data:` lines (several are joined by line feeds) up to a blank line; comments and the fields event, id
/// and retry carry nothing here. Content is `choices[0].delta.content`; `reasoning_content` or `reasoning` beside it is
/// reasoning content. Token counts come from `usage`, in a record of its own or in each (the last one counts). `[DONE]`
/// ends the stream. `t_ns` as in ollama_stream. Threads and allocation as in ollama_stream.
class openai_stream : public response_body {
  public:
    explicit openai_stream(const stream_options& options = {}) : response_body(options) {}

    /// Takes the next piece of the body, cut anywhere, of any length. `chunk` need not outlive the call.
    feed_result feed(std::string_view chunk);

    /// To be called once at the end of the body: reads an event that was not ended by a blank line, and reports a body
    /// without `[DONE]` as `early_end`.
    feed_result finish();

    /// Ready for another body; keeps the memory of the text.
    void reset();

  private:
    bool on_line(record_view line, bool in_chunk);
    bool on_data(record_view data, bool in_chunk);
    bool end_event();
    bool on_event(record_view event);
    void keep_event();

    // The event being gathered: one `data:` line that lies in the current chunk, or a copy of one or more.
    record_view in_place_;
    padded_buffer copied_;
    bool has_data_ = false;
    bool is_copied_ = false;
};

} // namespace chimera::host
