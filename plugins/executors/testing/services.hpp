// Tests for every executor that offers services: what happens to services when no other task is left.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "chimera/sdk/clock.hpp"
#include "run_limit.hpp"
#include "socket_pair.hpp"

namespace chimera::test {

/// Counts itself as waiting, and waits for an hour or for bytes that never come.
class silence final : public sdk::awaitable {
  public:
    silence(sdk::io& io, sdk::timer& hour, std::atomic<unsigned>& waiting) noexcept
        : io_(io), hour_(hour), waiting_(waiting) {}
    bool poll(chm_waker* waker) override {
        const bool over = io_.poll(CHM_IO_READ, waker) != 0 || hour_.poll(deadline_ns_, waker);
        if (!std::exchange(counted_, true)) ++waiting_;
        return over;
    }
    void await_resume() const noexcept {}

  private:
    sdk::io& io_;
    sdk::timer& hour_;
    std::atomic<unsigned>& waiting_;
    const std::uint64_t deadline_ns_ = sdk::now_ns() + 3'600'000'000'000U;
    bool counted_ = false;
};

/// Checks at its end that it is on a worker, on `number` where tasks are pinned.
struct on_worker {
    on_worker(const executor_under_test& e, std::uint32_t n) noexcept : ex(e), number(n) {}
    on_worker(const on_worker&) = delete;
    on_worker& operator=(const on_worker&) = delete;
    ~on_worker() {
        if (ex.flags() & CHM_EXECUTOR_PINNED)
            CHECK(ex.here() == static_cast<chm_rc>(number));
        else
            CHECK(ex.here() >= 0);
    }
    const executor_under_test& ex;
    const std::uint32_t number;
};

inline sdk::task<void> serve(executor_under_test& ex, sdk::owned_fd fd, std::uint32_t number,
                             std::atomic<unsigned>& waiting) {
    const on_worker last(ex, number);
    sdk::io io(ex.reactor(), fd.get());
    sdk::timer hour(ex.reactor());
    silence never(io, hour, waiting);
    co_await never;
}

/// Services in the middle of a wait are dropped on their workers when the last task leaves; their sockets are closed
/// then, and no registration or timer is left.
inline void services_let_go_at_idle(const std::vector<setting>& options, std::uint32_t workers) {
    const census before;
    std::vector<socket_pair> pairs(4 * workers);
    executor_under_test ex(options);
    const run_limit limit(ex);
    std::atomic<unsigned> waiting{0};
    for (std::uint32_t i = 0; i < pairs.size(); ++i)
        CHECK(ex.spawn_service(sdk::root_task::create(serve(ex, std::move(pairs[i].a), i % workers, waiting)),
                               CHM_HINT_WORKER, i) == CHM_OK);
    ex.spawn(closure_task::make([&](chm_waker* w) -> chm_rc {
        if (waiting == pairs.size()) return CHM_READY;
        w->vt->wake_by_ref(w);
        return CHM_PENDING;
    }));
    CHECK(ex.run() == CHM_OK);
    for (const socket_pair& pair : pairs) {
        pollfd p{pair.b.get(), POLLIN, 0};
        CHECK(::poll(&p, 1, 0) == 1); // the end
    }
}

/// A run that finds nothing but services polls none for long, and drops each on the worker for which it was spawned.
inline void services_alone_are_dropped_at_home(const std::vector<setting>& options, std::uint32_t workers) {
    const census before;
    std::atomic<int> dropped{0};
    executor_under_test ex(options);
    for (std::uint32_t i = 0; i < 4 * workers; ++i)
        ex.spawn_service(closure_task::make(
                             [](chm_waker* w) -> chm_rc {
                                 w->vt->wake_by_ref(w);
                                 return CHM_PENDING;
                             },
                             [&, i] {
                                 const on_worker last(ex, i % workers);
                                 ++dropped;
                             }),
                         CHM_HINT_WORKER, i);
    CHECK(ex.run() == CHM_OK);
    CHECK(dropped == static_cast<int>(4 * workers));
}

/// Services that always run spawn tasks while the last one leaves: each is polled or refused, none is lost.
inline void services_spawn_against_idle(const std::vector<setting>& options) {
    const census before;
    for (int round = 0; round < 300; ++round) {
        std::atomic<int> taken{0}, polled{0};
        executor_under_test ex(options);
        for (int i = 0; i < 3; ++i)
            ex.spawn_service(closure_task::make([&, n = 0](chm_waker* w) mutable -> chm_rc {
                if (n++ < 20)
                    taken += ex.spawn(closure_task::make([&](chm_waker*) { return ++polled, CHM_READY; })) == CHM_OK;
                w->vt->wake_by_ref(w);
                return CHM_PENDING;
            }));
        ex.spawn(closure_task::make([n = round % 16](chm_waker* w) mutable -> chm_rc {
            if (n-- <= 0) return CHM_READY;
            w->vt->wake_by_ref(w);
            return CHM_PENDING;
        }));
        CHECK(ex.run() == CHM_OK);
        CHECK(polled == taken);
    }
}

} // namespace chimera::test
