// Every poll of one agent, and who woke it: what a trace shows. Kept only when one is asked for.
#pragma once

#include "measure/timeline.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace chimera::host {

/// The kernel's number of a thread; 0: no thread.
using thread_id = std::int32_t;

/// The calling thread. A system call once for each thread.
thread_id this_thread_id() noexcept;

struct poll_event {
    nanoseconds_t runnable; ///< the first wake since the poll before; 0: nobody woke it
    nanoseconds_t begin, end;
    thread_id worker;   ///< that polled
    thread_id woken_by; ///< that woke; 0: nobody did
    agent_stage stage;  ///< when the poll began
};

/// Written only from the agent's polls, so by one thread at a time; read when the agent is done.
struct poll_log {
    struct named_thread {
        thread_id id;
        std::string name; ///< as it was when first seen; empty: it had ended by then
    };
    std::vector<poll_event> polls;     ///< in their order
    std::vector<named_thread> threads; ///< all that polled or woke

    /// Also asks for the name of a thread that is new to this log.
    void add(const poll_event&);
};

} // namespace chimera::host
