// Where an agent's own time went: its path from start to end, cut into the stages that can be late.
#pragma once

#include "measure/intervals.hpp"
#include "measure/timeline.hpp"

#include <vector>

namespace chimera::host {

/// The time between `start` and `end` of one agent, in nanoseconds; the parts add up to it exactly.
///
/// A delay counts only where the agent's progress waits for it: while a request is on its way out (dispatched -> sent),
/// on the way of the piece that ends the response (arrived -> done), while the end of the body is awaited, and between
/// requests. A piece in mid-stream that is handled late delays nothing by itself, because the server does not wait for
/// the client.
struct path_split {
    double scheduling = 0; ///< could run, and was not polled
    double blocked = 0;    ///< the same, while some poll held a worker for longer than measure.long_poll_ms
    double transport = 0;  ///< dispatched -> sent, and polled -> delivered of the last piece
    /// Of the way arrived -> delivered of the last piece, while the transport was busy with what others sent before it
    /// on a shared connection; it is in none of the other stages.
    double head_of_line = 0;
    double parsing = 0;      ///< delivered -> done of the last piece
    double work = 0;         ///< the agent's own work and pauses: outside of requests
    double coordination = 0; ///< outside of requests too: messages to the other agents, votes, and waiting for them
    double server = 0;       ///< sent -> arrival of the last piece, and done -> end of the body: server and network

    double client() const noexcept {
        return scheduling + blocked + transport + head_of_line + parsing + work + coordination;
    }
    path_split& operator+=(const path_split&) noexcept;
    path_split& operator-=(const path_split&) noexcept;
};

/// The split of an agent all of whose requests succeeded. held: long_polls_of its execution, the same for all agents.
path_split split_path(const agent_record&, const std::vector<interval>& held);

} // namespace chimera::host
