// The plugin under test, loaded as the host loads it, and the parts that its tests are made of.
#pragma once

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "chimera/abi.h"
#include "chimera/sdk/owned_fd.hpp"
#include "chimera/sdk/reactor.hpp"
#include "chimera/sdk/task.hpp"
#include "chimera/sdk/text.hpp"
#include "chimera/sdk/waker.hpp"

namespace chimera::uv_pinned_test {

inline std::atomic<int> complaints{0};
inline const chm_host test_host{sizeof(chm_host), [](const chm_host*, std::int32_t, chm_str) noexcept { ++complaints; },
                                [](const chm_host*, const char*) noexcept -> const void* { return nullptr; }};

inline const chm_executor_factory& factory() {
    static const auto* found = [] {
        std::thread([] {}).join(); // ThreadSanitizer starts a thread of its own with the first one
        void* lib = dlopen(CHIMERA_PLUGIN_DIR "/uv_pinned.so", RTLD_NOW | RTLD_LOCAL);
        if (!lib) FAIL(dlerror());
        const auto* entry = static_cast<const chm_plugin_entry*>(dlsym(lib, CHM_ENTRY_SYMBOL));
        REQUIRE(entry->init(&test_host, nullptr) == CHM_OK);
        return static_cast<const chm_executor_factory*>(entry->get_factory(CHM_FACTORY_EXECUTOR));
    }();
    return *found;
}

inline std::size_t entries(const char* folder) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(folder)) ++n;
    return n;
}

/// An executor, and the proof that it leaves no thread and no descriptor behind and closed its loops clean.
class executor_under_test {
  public:
    explicit executor_under_test(std::string workers = "1", std::string pin_cpus = "false") {
        factory(); // loaded before anything is counted
        fds_ = entries("/proc/self/fd");
        threads_ = entries("/proc/self/task");
        if (alive_++ == 0) complaints = 0;
        const std::array kv{chm_kv{sdk::str("workers"), sdk::str(workers)},
                            chm_kv{sdk::str("pin_cpus"), sdk::str(pin_cpus)}};
        const chm_config config{kv.data(), kv.size()};
        REQUIRE(factory().create(&test_host, &config, &raw_, nullptr) == CHM_OK);
    }
    executor_under_test(const executor_under_test&) = delete;
    ~executor_under_test() {
        destroy();
        if (--alive_ > 0) return; // the one that was created first counts for all
        CHECK(entries("/proc/self/fd") == fds_);
        // A joined thread may stay listed for a moment.
        for (int i = 0; i < 1000 && entries("/proc/self/task") != threads_; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(entries("/proc/self/task") == threads_);
        CHECK(complaints == expected_complaints);
    }
    void destroy() {
        if (raw_) raw_->vt->destroy(std::exchange(raw_, nullptr));
    }
    chm_rc spawn(sdk::task<void> body, std::uint32_t hint = CHM_HINT_ANY, std::uint32_t worker = 0) {
        chm_task* task = sdk::root_task::create(std::move(body));
        const chm_rc rc = spawn_raw(task, hint, worker);
        if (rc < 0) task->vt->drop(task);
        return rc;
    }
    chm_rc spawn_raw(chm_task* task, std::uint32_t hint = CHM_HINT_ANY, std::uint32_t worker = 0) {
        const chm_spawn_opts opts{sizeof opts, hint, worker, 0, {}};
        return raw_->vt->spawn(raw_, task, &opts);
    }
    chm_rc run(std::uint32_t mode = CHM_RUN_UNTIL_IDLE) { return raw_->vt->run(raw_, mode, nullptr); }
    void stop() { raw_->vt->stop(raw_); }
    chm_reactor* reactor() { return sdk::reactor_of(raw_); }

    int expected_complaints = 0;

  private:
    chm_executor* raw_ = nullptr;
    std::size_t fds_ = 0, threads_ = 0;
    static inline int alive_ = 0;
};

struct socket_pair {
    socket_pair() {
        std::array<int, 2> fds{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
        a = sdk::owned_fd(fds[0]);
        b = sdk::owned_fd(fds[1]);
    }
    sdk::owned_fd a, b;
};

/// Waits until someone else wakes it `n` times.
class wakes final : public sdk::awaitable {
  public:
    wakes(std::atomic<int>& count, int n, sdk::waker_slot& slot) noexcept : count_(count), n_(n), slot_(slot) {}
    bool poll(chm_waker* waker) override {
        if (count_.load() >= n_) return true;
        slot_.set(waker);
        return count_.load() >= n_;
    }
    void await_resume() const noexcept {}

  private:
    std::atomic<int>& count_;
    int n_;
    sdk::waker_slot& slot_;
};

/// Counts polls and drops, and on which threads they happened.
struct counting_task final : chm_task {
    explicit counting_task(std::atomic<int>& drops, std::function<chm_rc(chm_waker*)> f = nullptr)
        : chm_task{&vtable}, on_poll(std::move(f)), dropped(drops) {}
    std::function<chm_rc(chm_waker*)> on_poll;
    std::atomic<int>& dropped;
    static chm_rc poll_thunk(chm_task* t, chm_waker* w) noexcept {
        auto& self = *static_cast<counting_task*>(t);
        return self.on_poll ? self.on_poll(w) : static_cast<chm_rc>(CHM_PENDING);
    }
    static void drop_thunk(chm_task* t) noexcept {
        ++static_cast<counting_task*>(t)->dropped;
        delete static_cast<counting_task*>(t);
    }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};
};

} // namespace chimera::uv_pinned_test
