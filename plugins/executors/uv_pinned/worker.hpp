// A worker, which is a libuv loop and the tasks that live on it; and the reactor of all workers.
#pragma once

#include <uv.h>

#include <unordered_set>

#include "../pinned/executor.hpp"
#include "chimera/abi/reactor.h"

namespace chimera::uv_pinned {

/// The queue is emptied in the loop's prepare phase, which stands between the callbacks that wake tasks (timers, and
/// the descriptors of the turn before) and the next wait. Tasks that are left after a turn's polls wait for the next
/// turn,
/// and an idle handle keeps the wait from blocking: tasks that always want to run starve neither descriptors nor
/// timers.
class worker final : public pinned::worker {
  public:
    /// Throws sdk::error when the system has no descriptors left for a loop.
    worker(sdk::lifecycle_state& life, const chm_host* host);
    /// [no thread runs the loop]
    ~worker();

    /// The worker whose thread this is, or nullptr.
    static worker* current() noexcept { return static_cast<worker*>(pinned::worker::current()); }

    /// [any-thread]
    void knock() noexcept { uv_async_send(&mail_); }

    // --- this worker's thread ---

    void loop() noexcept { uv_run(&loop_, UV_RUN_DEFAULT); }
    void end_loop() noexcept {}
    uv_loop_t* uv() noexcept { return &loop_; }
    /// The file descriptors that are registered on this loop.
    std::unordered_set<int>& registered() noexcept { return registered_; }

  private:
    void turn() noexcept;

    uv_async_t mail_{}; // uv_async_send: any thread

    // The worker's thread.
    uv_loop_t loop_{};
    uv_prepare_t before_wait_{};
    uv_idle_t no_wait_{};
    std::unordered_set<int> registered_;
};

/// "chimera.reactor/1" on libuv, of one executor: each worker's descriptors and timers, on that worker's loop. Affine:
/// every function works on the calling worker's own loop and refuses other threads.
class reactor final : public chm_reactor {
  public:
    reactor() noexcept;
    /// [before any task] The executor whose reactor this is.
    void attach(const sdk::lifecycle_state& life) noexcept { life_ = &life; }

  private:
    const sdk::lifecycle_state* life_ = nullptr; // names the executor: its workers have the same

    friend struct reactor_functions;
};

/// [the loop's thread, at its end] Closes and frees an io or a timer that was not deregistered.
void close_leaked(uv_handle_t* handle) noexcept;

} // namespace chimera::uv_pinned
