#include "on_reactor.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>

namespace chimera::conformance {

namespace {

/// A waker that ends the sleep of one thread. Shared, because a reactor may keep a reference for a while.
class parking_waker final : public chm_waker {
  public:
    static parking_waker* create() { return new parking_waker; }
    void park() {
        std::unique_lock lock(mutex_);
        woken_.wait(lock, [this] { return std::exchange(pending_, false); });
    }

  private:
    std::atomic<unsigned> references_{1};
    std::mutex mutex_;
    std::condition_variable woken_;
    bool pending_ = false;

    parking_waker() noexcept : chm_waker{&vtable} {}
    static parking_waker& self(chm_waker* w) noexcept { return *static_cast<parking_waker*>(w); }
    void unpark() noexcept {
        const std::lock_guard lock(mutex_);
        pending_ = true;
        woken_.notify_one();
    }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }
    static constexpr chm_waker_vt vtable{
        [](chm_waker* w) noexcept { return ++self(w).references_, w; },
        [](chm_waker* w) noexcept {
            self(w).unpark();
            self(w).release();
        },
        [](chm_waker* w) noexcept { self(w).unpark(); },
        [](chm_waker* w) noexcept { self(w).release(); },
    };
};

sdk::task<void> catching(sdk::task<void> body, std::exception_ptr& thrown) {
    try {
        co_await body;
    } catch (...) {
        thrown = std::current_exception();
    }
}

chm_reactor* needed_reactor(executor& e) {
    chm_reactor* r = e.reactor();
    if (!r) throw skipped("it has no reactor");
    return r;
}

} // namespace

void block_on(sdk::task<void> body) {
    std::exception_ptr thrown;
    parking_waker* here = parking_waker::create();
    const sdk::waker owner(here);
    chm_task* task = sdk::root_task::create(catching(std::move(body), thrown));
    nobody_will_wake = false;
    while (task->vt->poll(task, here) == CHM_PENDING && !nobody_will_wake) here->park();
    task->vt->drop(task);
    if (thrown) std::rethrow_exception(thrown);
}

void inside_tasks(environment& env, reactor_body body, unsigned tasks) {
    const auto e = env.make_executor();
    chm_reactor* r = needed_reactor(*e);
    for (unsigned i = 0; i < tasks; ++i) e->spawn(body(r, env));
    e->run_until_idle();
}

void on_every_thread(environment& env, reactor_body body, bool bare) {
    const auto reactor_of = [bare](executor& e) {
        chm_reactor* const watched = needed_reactor(e);
        return bare ? e.bare_reactor() : watched;
    };
    {
        const auto inside = env.make_executor();
        inside->spawn(body(reactor_of(*inside), env));
        inside->run_until_idle();
        if (!(reactor_of(*inside)->vt->flags & CHM_REACTOR_ANY_THREAD)) return;
    }
    const auto e = env.make_executor();
    chm_reactor* const r = reactor_of(*e);
    const foreign_thread outside(env.probes(), [&] {
        try {
            block_on(body(r, env));
        } catch (const std::exception& x) {
            env.probes().report(std::string("on another thread: ") + x.what());
        }
        e->stop();
    });
    e->run(CHM_RUN_UNTIL_STOP);
}

} // namespace chimera::conformance
