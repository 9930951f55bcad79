// The kit's own executor with one defect at a time, to show that the cases can fail. Each is a mistake that real
// executors make, made at the contract's surface.
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "chimera/sdk/waker.hpp"
#include "conformance/kit/reference_executor.hpp"

namespace {

namespace sdk = chimera::sdk;

/// Set by create: one instance is tried at a time, and the contract's C tables carry no room for it.
std::string defect; // NOLINT
bool has(std::string_view name) noexcept { return defect == name; }

/// Between the task and the executor's waker.
class waker_shim final : public chm_waker {
  public:
    explicit waker_shim(chm_waker* inner) noexcept : chm_waker{&vtable}, inner_(sdk::waker::clone(inner)) {}

  private:
    std::atomic<unsigned> references_{1};
    std::atomic<unsigned> wakes_{0};
    sdk::waker inner_;

    static waker_shim& self(chm_waker* w) noexcept { return *static_cast<waker_shim*>(w); }
    void wake_once() noexcept {
        if (has("loses_wake") && ++wakes_ % 50 == 0) return;
        inner_.wake_by_ref();
    }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }
    static constexpr chm_waker_vt vtable{
        [](chm_waker* w) noexcept { return ++self(w).references_, w; },
        [](chm_waker* w) noexcept {
            self(w).wake_once();
            self(w).release();
        },
        [](chm_waker* w) noexcept { self(w).wake_once(); },
        [](chm_waker* w) noexcept { self(w).release(); },
    };
};

/// Between the executor and the task.
class task_shim final : public chm_task {
  public:
    explicit task_shim(chm_task* inner) noexcept : chm_task{&vtable}, inner_(inner) {}

  private:
    static task_shim& self(chm_task* t) noexcept { return *static_cast<task_shim*>(t); }
    chm_rc poll_inner(chm_waker* w) noexcept {
        if (!waker_) waker_ = sdk::waker(new waker_shim(w));
        const chm_rc rc = inner_->vt->poll(inner_, waker_.get());
        if (rc == CHM_PENDING && has("polls_again")) return inner_->vt->poll(inner_, waker_.get());
        return rc;
    }
    void drop_inner() noexcept {
        if (!has("never_drops")) inner_->vt->drop(inner_);
        if (has("drops_twice")) inner_->vt->drop(inner_);
        delete this;
    }
    static constexpr chm_task_vt vtable{
        [](chm_task* t, chm_waker* w) noexcept { return self(t).poll_inner(w); },
        [](chm_task* t) noexcept { self(t).drop_inner(); },
    };

    chm_task* inner_;
    sdk::waker waker_;
};

/// In front of the reactor.
class reactor_shim final : public chm_reactor {
  public:
    reactor_shim() noexcept : chm_reactor{&vtable} {}
    void over(chm_reactor* inner) noexcept { inner_ = inner; }

  private:
    static chm_reactor* inner(chm_reactor* r) noexcept { return static_cast<reactor_shim*>(r)->inner_; }
    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
        return inner(r)->vt->io_register(inner(r), fd, out);
    }
    static std::uint32_t io_poll(chm_reactor* r, chm_io* io, std::uint32_t interest, chm_waker* w) noexcept {
        return inner(r)->vt->io_poll(inner(r), io, interest, w);
    }
    static void io_clear(chm_reactor* r, chm_io* io, std::uint32_t seen, std::uint32_t bits,
                         std::uint32_t how) noexcept {
        if (has("clears_blindly")) { // whatever was reported since
            for (std::uint32_t tick = seen; tick < seen + 0x1000U; tick += 0x100U)
                inner(r)->vt->io_clear(inner(r), io, tick, bits, how);
            return;
        }
        inner(r)->vt->io_clear(inner(r), io, seen, bits, has("never_rechecks") ? std::uint32_t{CHM_IO_DRAINED} : how);
    }
    static void io_deregister(chm_reactor* r, chm_io* io) noexcept { inner(r)->vt->io_deregister(inner(r), io); }
    static chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept {
        return inner(r)->vt->timer_create(inner(r), out);
    }
    static chm_rc timer_poll(chm_reactor* r, chm_timer* t, std::uint64_t deadline, chm_waker* w) noexcept {
        if (has("fires_early") && deadline > 1'000'000) deadline -= 1'000'000; // counts milliseconds, as libuv does
        return inner(r)->vt->timer_poll(inner(r), t, deadline, w);
    }
    static void timer_destroy(chm_reactor* r, chm_timer* t) noexcept {
        if (has("keeps_timers")) return;
        inner(r)->vt->timer_destroy(inner(r), t);
    }
    static const void* get_extension(chm_reactor*, const char*) noexcept { return nullptr; }
    static constexpr chm_reactor_vt vtable{
        sizeof(chm_reactor_vt), CHM_REACTOR_ANY_THREAD, io_register, io_poll,       io_clear,
        io_deregister,          timer_create,           timer_poll,  timer_destroy, get_extension};

    chm_reactor* inner_ = nullptr;
};

class defective_executor final : public sdk::executor_base<defective_executor, CHM_EXECUTOR_PINNED> {
  public:
    static constexpr std::array schema{sdk::enum_option(
        "defect", "none",
        "none|loses_wake|polls_again|never_drops|drops_twice|polls_in_spawn|takes_after_stop|ignores_stop|ends_when_"
        "idle|"
        "leaks_descriptor|leaks_thread|crashes|answers_any_extension|clears_blindly|never_rechecks|fires_early|"
        "keeps_timers",
        "what it does wrong")};

    defective_executor(const chm_host* host, const sdk::options& o) : inner_(host, sdk::options(nullptr, {})) {
        defect = o.choice("defect");
        reactor_.over(static_cast<chm_reactor*>(const_cast<void*>(inner_.extension(CHM_EXT_REACTOR))));
        if (has("leaks_descriptor")) ::eventfd(0, 0);
        if (has("leaks_thread")) std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
    }
    ~defective_executor() {
        if (has("crashes")) std::abort();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) {
        auto shim = std::make_unique<task_shim>(task);
        const chm_rc rc = inner_.spawn(shim.get(), opts);
        if (rc == CHM_OK) {
            task_shim& mine = *shim.release();
            if (has("polls_in_spawn")) poll_now(mine);
        } else if (has("takes_after_stop")) {
            task->vt->drop(task);
        }
        return rc;
    }
    chm_rc run(std::uint32_t mode) {
        if (has("ends_when_idle")) mode = CHM_RUN_UNTIL_IDLE;
        return inner_.run(mode);
    }
    void stop() noexcept {
        if (!has("ignores_stop")) inner_.stop();
    }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR || has("answers_any_extension")) return static_cast<chm_reactor*>(&reactor_);
        return nullptr;
    }

  private:
    static void poll_now(task_shim& t) noexcept {
        static constexpr chm_waker_vt none{[](chm_waker* w) noexcept { return w; }, [](chm_waker*) noexcept {},
                                           [](chm_waker*) noexcept {}, [](chm_waker*) noexcept {}};
        static chm_waker nobody{&none};
        t.vt->poll(&t, &nobody);
    }

    chimera::conformance::reference_executor inner_;
    reactor_shim reactor_;
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("defective_executor", "1.0", "an executor with the defect that it is told to have",
                        defective_executor);
