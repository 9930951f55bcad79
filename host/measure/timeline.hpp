// What is recorded of a run: the raw timestamps that every metric is computed from. CLOCK_MONOTONIC nanoseconds; 0 is
// "did not happen" or "not known".
#pragma once

#include "measure/coordination_record.hpp"
#include "measure/piece_log.hpp"
#include "protocol/stream_state.hpp"
#include "provenance/provenance.hpp"
#include "result/run_result.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What a reply's arrival says of the server's own figures; see judge_reply().
struct reply_evidence {
    std::uint64_t gaps = 0, gaps_together = 0; ///< between content records; gaps within a clump
    bool arrival_limited = false;              ///< most records came together: arrivals do not describe the server
    bool count_contradicted = false;           ///< the server's count of tokens is not used
    bool durations_contradicted = false;       ///< none of the server's durations is used
    std::uint64_t hidden_tokens = 0;           ///< counted by the server and not sent
};

/// One request. The order of the moments is that of docs/measurement.
struct request_record {
    std::string call; ///< "analysis", "report", "call_0", ...
    nanoseconds_t intended = 0, dispatched = 0, connected = 0, sent = 0, first_byte = 0, first_token = 0,
                  last_token = 0, done = 0;
    /// The way of the piece that ended it: it could be read, its task was polled, the parser got it.
    nanoseconds_t arrived = 0, polled = 0, delivered = 0;
    nanoseconds_t behind_others = 0; ///< of it, from arrived on: others' bytes stood before it
    nanoseconds_t sending_delay = 0; ///< between dispatched and sent: runnable, but not polled
    nanoseconds_t redirecting = 0;   ///< between dispatched and sent: the server's time for redirects
    nanoseconds_t drained = 0;       ///< the body had ended, or was given up; from done on the server's time
    nanoseconds_t drain_delay = 0;   ///< between done and drained: runnable, but not polled
    piece_place first_chunk;         ///< this request's pieces in agent_record::chunks, and how many they are
    std::size_t chunks = 0;
    std::uint64_t content_records = 0, reasoning_records = 0, tool_call_records = 0; ///< as in stream_state
    std::uint64_t text_bytes = 0;                                                    ///< of all content, decoded
    std::uint64_t kept_bytes = 0; ///< memory of its texts, which are kept until the results are written
    bool reasoning_first = false; ///< the first token was reasoning content
    bool reused = false;          ///< over a connection that had served another request
    bool shared = false;          ///< the transport's sessions may share connections
    std::uint32_t retries = 0;
    int status = 0;
    std::uint64_t seed = 0; ///< sent to the server
    server_figures server;
    reply_evidence evidence;     ///< of a request that succeeded
    std::vector<remark> remarks; ///< worth knowing, and no failure
    std::string error;           ///< empty: the request succeeded
    std::string prompt, response, reasoning;

    bool ok() const noexcept { return error.empty() && done != 0; }
    /// The moment from which the agent goes on.
    nanoseconds_t over() const noexcept { return std::max(done, drained); }
    /// The tokens are as the server counted them; otherwise content records are counted.
    bool counted_by_server() const noexcept { return server.completion_tokens && !evidence.count_contradicted; }
    /// All tokens, also tokens that were not sent.
    std::uint64_t tokens() const noexcept { return counted_by_server() ? *server.completion_tokens : content_records; }
    /// The tokens that came after the first record with content, which has its share of them: those whose time is
    /// known.
    double timed_tokens() const noexcept {
        const auto records = static_cast<double>(content_records);
        return records > 0 ? static_cast<double>(sent_tokens()) * (records - 1) / records : 0;
    }
    /// The arrivals show a pace: not all records came at once.
    bool has_pace() const noexcept {
        return last_token > first_token && timed_tokens() > 0 &&
               !(evidence.arrival_limited && evidence.gaps_together == evidence.gaps);
    }
    /// The tokens that were sent.
    std::uint64_t sent_tokens() const noexcept { return tokens() - std::min(tokens(), evidence.hidden_tokens); }
    /// The server's own rate, eval_count / eval_duration, 1/s, of tokens that were all sent; nothing where it does not
    /// give both, or where the arrival of the reply contradicts one of them.
    std::optional<double> server_rate() const noexcept {
        if (!counted_by_server() || evidence.hidden_tokens > 0 || evidence.durations_contradicted ||
            server.eval_ns.value_or(0) <= 0)
            return std::nullopt;
        return static_cast<double>(*server.completion_tokens) / static_cast<double>(*server.eval_ns) * 1e9;
    }
};

/// What an agent is doing, as far as long polls are told apart.
enum class agent_stage : std::uint8_t {
    waiting_for_permit,
    ingest,
    connect,
    first_byte,
    body,
    end_of_body,
    between_calls,
    coordinating
};

const char* name_of(agent_stage) noexcept;

/// A poll that held its worker for longer than the threshold.
struct long_poll {
    nanoseconds_t begin = 0, end = 0;
    agent_stage stage = agent_stage::between_calls;
};

/// A time during which the agent could have run and was not polled, longer than the threshold.
struct late_poll {
    nanoseconds_t runnable = 0, polled = 0;
};

struct poll_log;

/// One agent in one execution.
struct agent_record {
    std::string id;
    nanoseconds_t coordinating = 0; ///< of the time outside of requests: sharing, and voting
    nanoseconds_t awaiting = 0;     ///< of it, for members that had not come that far
    nanoseconds_t spawned = 0, first_polled = 0;
    nanoseconds_t permit_asked = 0;
    nanoseconds_t granted = 0; ///< woken with its permit; permit_asked where it did not have to wait
    nanoseconds_t start = 0;   ///< first polled holding its permit
    nanoseconds_t end = 0;     ///< its work was done, or had failed
    std::uint64_t polls = 0;
    nanoseconds_t in_polls = 0;   ///< time inside polls
    nanoseconds_t runnable = 0;   ///< time between a wake and the poll that it led to
    nanoseconds_t work_delay = 0; ///< the part of it between start and end in which no request was under way
    std::vector<request_record> requests;
    piece_log chunks;
    std::vector<long_poll> long_polls;
    std::vector<late_poll> late_polls;
    std::shared_ptr<poll_log> log; ///< every poll; null unless a trace is written
    std::string report;            ///< kind = "report": the agent's report in Markdown
    std::string error;             ///< why the agent failed outside of a request; empty if it did not
    std::vector<std::string> warnings;

    bool ok() const noexcept;
    /// How long it waited for its permit, ns: without the time until it was polled with it.
    nanoseconds_t permit_wait() const noexcept {
        return permit_asked != 0 && granted > permit_asked ? granted - permit_asked : 0;
    }
    /// The pieces of the response to one of its requests.
    piece_log::range pieces_of(const request_record& r) const noexcept { return chunks.from(r.first_chunk, r.chunks); }
    /// C_i (T_i when the agent ran alone): end - start, ns.
    nanoseconds_t duration() const noexcept { return end > start ? end - start : 0; }
};

/// The memory of this process that was resident at a moment.
struct memory_sample {
    nanoseconds_t at = 0;
    std::uint64_t resident_bytes = 0; ///< 0: the kernel did not say
};

/// One execution of one or more agents on a fresh executor.
struct execution_record {
    nanoseconds_t begin = 0; ///< just before the executor's run was called
    nanoseconds_t end = 0;   ///< it has returned
    std::vector<agent_record> agents;
    std::optional<thread_load> busiest; ///< nothing: not measured
    execution_cost cost;
    bool pieces = true;                                      ///< polls and pieces of bodies were timed
    std::vector<memory_sample> memory;                       ///< of an execution with a planned duration
    double slice_s = 0;                                      ///< the time between two of them
    std::shared_ptr<const coordination_record> coordination; ///< null: the agents did not coordinate

    /// W, ns.
    nanoseconds_t wall() const noexcept { return end - begin; }
    bool ok() const noexcept;
    /// Some request went over a connection that others may have used at the same time.
    bool shares_connections() const noexcept;
    /// Some agent made a request: there are replies to judge.
    bool has_requests() const noexcept;
};

/// One run: every agent alone, and all together.
struct run_record {
    int number = 0;                         ///< counted from 1; warm-up runs are not recorded
    std::vector<execution_record> baseline; ///< one for each agent, in their order; empty: not run
    execution_record concurrent;
    std::shared_ptr<const campaign_provenance> origin; ///< the same for all runs of a campaign; null: not recorded

    /// Every request of every execution succeeded: only then are the run's figures defined.
    bool complete() const noexcept;
};

} // namespace chimera::host
