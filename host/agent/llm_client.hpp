// One agent's connection to its server: sends prompts, reads streamed replies, records when everything happened.
#pragma once

#include "measure/recorder.hpp"
#include "protocol/llm_stream.hpp"
#include "protocol/request_body.hpp"

#include <chimera/abi/timing.h>
#include <chimera/sdk/exchange.hpp>
#include <chimera/sdk/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What a client needs to know of its server. Copied.
struct llm_endpoint {
    llm_api api = llm_api::ollama;
    std::string url;
    std::string api_key; ///< sent as a bearer token; empty: none. Never recorded
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
    /// No I/O yet. Throws sdk::error when the transport refuses the URL.
    llm_client(llm_endpoint, const llm_transport&, recorder&);

    /// Sends the prompt and reads the whole reply. What went wrong is in the record's `error`, which names the URL. The
    /// record is valid until the next call. intended: when the plan wanted it sent.
    sdk::task<const request_record*> call(std::string name, std::string prompt, nanoseconds_t intended);

  private:
    sdk::task<void> exchange(request_record& r, const request_body& body);
    bool take(request_record& r, const sdk::exchange& x, std::string_view piece);
    void finish(request_record& r);
    sdk::task<std::string> read_error_body(sdk::exchange& x);
    /// Fills in what the transport knows so far; returns when the latest bytes could be read, 0 if it cannot say.
    nanoseconds_t read_timing(request_record& r, const sdk::exchange& x) const;

    llm_endpoint endpoint_;
    recorder& recorder_;
    const chm_timing_ext* timing_; ///< may be null
    sdk::session session_;
    llm_stream stream_;
    std::uint64_t calls_ = 0;
};

/// The seed of one call: 31 bits, so that every server takes it. From FNV-1a over its arguments.
std::int64_t call_seed(std::uint64_t base, std::string_view agent, std::uint64_t call);

} // namespace chimera::host
