// One agent's connection to its server: sends prompts, reads streamed replies, records when everything happened.
#pragma once

#include "agent/reply_faults.hpp"
#include "agent/request_target.hpp"
#include "agent/think_timer.hpp"
#include "agent/timed_chunk.hpp"
#include "measure/recorder.hpp"
#include "protocol/content_decoder.hpp"
#include "protocol/llm_stream.hpp"
#include "protocol/request_body.hpp"

#include <chimera/abi/timing.h>
#include <chimera/sdk/exchange.hpp>
#include <chimera/sdk/task.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chimera::host {

/// What a client needs to know of its server. Copied.
struct llm_endpoint {
    llm_api api = llm_api::ollama;
    request_target target;
    std::string api_key;    ///< empty: none. Never recorded
    std::string key_header; ///< carries the key; empty: Authorization, as a bearer token
    std::vector<std::pair<std::string, std::string>> headers; ///< added; an empty value leaves out one of our own
    std::vector<body_edit> body_edits;
    bool follow_redirects = false; ///< 307 and 308 within the origin
    nanoseconds_t drain_ns = 0;    ///< how long the end of a body is awaited once the answer is complete
    std::uint64_t max_reply_bytes = std::uint64_t{64} << 20U; ///< of one body, as sent and decoded; more is an error
    std::string model;
    std::vector<model_option> options;  ///< without the seed
    std::size_t expected_tokens = 1024; ///< of a reply: room is made for as much text beforehand
    std::optional<std::int64_t> seed;   ///< the same for every call; nothing: call_seed draws one
    std::uint64_t seed_base = 0; ///< drawn seeds depend on this, the agent and the call, so that an agent alone and the
                                 ///< same agent among others are asked the same
};

/// The transport as this execution uses it; all of it outlives the client.
struct llm_transport {
    chm_transport* transport = nullptr;
    chm_executor* executor = nullptr;
    chm_reactor* reactor = nullptr;
};

/// Used and destroyed on its task's worker.
class llm_client {
  public:
    /// No I/O yet. Throws sdk::error when the transport refuses the URL. The timer outlives the client.
    llm_client(llm_endpoint, const llm_transport&, recorder&, think_timer&);

    /// Sends the prompt and reads the whole reply. What went wrong is in the record's `error`, which names the URL. The
    /// record is valid until the next call. intended: when the plan wanted it sent.
    sdk::task<const request_record*> call(std::string name, std::string prompt, nanoseconds_t intended);

  private:
    sdk::task<void> exchange(request_record& r, const request_body& body);
    sdk::exchange start(const request_target& target, const request_body& body);
    bool accept(request_record& r, const sdk::exchange& x, const chm_head& head);
    sdk::task<request_target> refuse(request_record& r, sdk::exchange& x, const chm_head& head,
                                     const request_target& from, const request_body& body);
    bool take(request_record& r, const sdk::exchange& x, std::string_view piece);
    feed_result feed(std::string_view piece);
    [[noreturn]] void refuse_long_reply() const;
    void gave_up(request_record& r);
    void finish(request_record& r);
    void conclude(request_record& r);
    static void remark_on(request_record& r, const stream_state& got);
    /// Fills in what the transport knows so far; returns when the latest bytes could be read, 0 if it cannot say.
    nanoseconds_t read_timing(request_record& r, const sdk::exchange& x) const;

    llm_endpoint endpoint_;
    recorder& recorder_;
    const chm_timing_ext* timing_; ///< may be null
    const bool shares_;            ///< the transport's sessions may share connections
    sdk::session session_;
    llm_stream stream_;
    think_timer& timer_;
    std::unique_ptr<content_decoder> decoder_; ///< of the response at hand; null: nothing to decode
    std::uint64_t calls_ = 0;
    std::uint32_t redirects_ = 0; ///< followed for the call at hand
    piece_run run_;
    nanoseconds_t taken_at_ = 0; ///< when the latest piece was done with
    // Of the response at hand:
    nanoseconds_t wait_until_ = 0;       ///< for the next piece; 0: as long as the transport does
    nanoseconds_t finish_reason_at_ = 0; ///< recorded: the last piece of content with or before a finish reason
    std::uint64_t taken_ = 0;            ///< bytes of the body; a small piece counts as least_of_piece
    bool too_long_ = false;              ///< more than max_reply_bytes
    std::size_t rest_ = 0;               ///< bytes behind the answer
};

/// The seed of one call: 31 bits, so that every server takes it. From FNV-1a over its arguments.
std::int64_t call_seed(std::uint64_t base, std::string_view agent, std::uint64_t call);

} // namespace chimera::host
