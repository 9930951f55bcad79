// The bridge between its ends: an executor with its bridge, a foreign executor, the inner transport, and what agents
// saw.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../testing/executor_under_test.hpp"
#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/exchange.hpp"
#include "chimera/sdk/executor_lifecycle.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/waker.hpp"
#include "test_transport.hpp"

namespace chimera::async_std_bridge_test {

using namespace chimera::test;

/// A foreign executor: one thread that drives an epoll reactor.
class epoll_executor final : public sdk::executor_base<epoll_executor> {
  public:
    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts); }
    chm_rc run(std::uint32_t mode) { return life_.run(mode); }
    void stop() noexcept { life_.stop(); }
    const void* extension(std::string_view id) noexcept { return id == CHM_EXT_REACTOR ? &reactor_ : nullptr; }

  private:
    friend sdk::executor_lifecycle<epoll_executor>;
    void queue(sdk::task_cell& cell) noexcept {
        if (inbox_.push(cell)) interrupt();
    }
    void interrupt() noexcept { reactor_.interrupt(); }
    void work(std::uint32_t) noexcept {
        for (sdk::cell_list runnable; !life_.ended(); reactor_.turn(runnable.front() ? 0 : -1)) {
            inbox_.pop_into(runnable);
            while (sdk::task_cell* cell = life_.ended() ? nullptr : runnable.pop())
                if (life_.poll(*cell) == sdk::task_cell::outcome::again) queue(*cell);
        }
    }

    sdk::epoll_reactor reactor_;
    sdk::cell_inbox inbox_;
    sdk::executor_lifecycle<epoll_executor> life_{*this, 1};
};

/// What agents saw, in order. Any thread.
class event_log {
  public:
    void add(std::string event) {
        std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
        changed_.notify_all();
    }
    /// False when it has not come within a time that only a hang takes.
    bool wait_for(const std::string& event) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return place(event) != events_.size(); });
    }
    bool has(const std::string& event) {
        std::lock_guard lock(mutex_);
        return place(event) != events_.size();
    }
    std::vector<std::string> all() {
        std::lock_guard lock(mutex_);
        return events_;
    }

  private:
    std::size_t place(const std::string& event) const {
        return static_cast<std::size_t>(std::find(events_.begin(), events_.end(), event) - events_.begin());
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> events_;
};

enum class foreign_kind { epoll, uv };

/// Executor, bridge, inner transport and foreign executor, taken down in the order of a host.
class bridged {
  public:
    explicit bridged(settings options, foreign_kind kind = foreign_kind::epoll)
        : self(create_executor("async_std_bridge", options)),
          foreign(kind == foreign_kind::uv ? create_executor("uv_pinned", {}) : new epoll_executor),
          foreign_thread_([this] { foreign->vt->run(foreign, CHM_RUN_UNTIL_STOP, nullptr); }) {
        sdk::error_buffer err;
        const chm_rc rc = wrap(err.abi());
        CAPTURE(std::string(err.text()));
        REQUIRE(rc == CHM_OK);
    }
    bridged(const bridged&) = delete;
    bridged& operator=(const bridged&) = delete;
    ~bridged() {
        if (runner_.joinable()) finish();
        take_down();
    }
    chm_rc wrap(chm_error* err) {
        const auto* ext = static_cast<const chm_bridge_ext*>(self->vt->get_extension(self, CHM_EXT_BRIDGE));
        return ext->wrap(self, foreign, &inner, &bridge, err);
    }
    void spawn(sdk::task<void> body) {
        REQUIRE(self->vt->spawn(self, sdk::root_task::create(std::move(body)), nullptr) == CHM_OK);
    }
    void run() {
        runner_ = std::thread([this] { run_result_ = self->vt->run(self, CHM_RUN_UNTIL_IDLE, nullptr); });
    }
    chm_rc finish() {
        runner_.join();
        return run_result_;
    }
    void stop_foreign() {
        foreign->vt->stop(foreign);
        if (foreign_thread_.joinable()) foreign_thread_.join();
    }
    void take_down() {
        if (!self) return;
        if (bridge) bridge->vt->destroy(bridge);
        CHECK(inner.open_objects == 0); // the inner transport could be destroyed now
        stop_foreign();
        foreign->vt->destroy(foreign);
        self->vt->destroy(std::exchange(self, nullptr));
    }
    const chm_timing_ext* timing() {
        return static_cast<const chm_timing_ext*>(bridge->vt->get_extension(bridge, CHM_EXT_TIMING));
    }

    const census before; // the first to come, the last to go
    byte_transport inner;
    event_log log;
    chm_executor* self;
    chm_executor* foreign;
    chm_transport* bridge = nullptr;

  private:
    std::thread foreign_thread_, runner_;
    chm_rc run_result_ = CHM_OK;
};

inline chm_session_args args_for(bridged& b, const std::string& url) {
    return {sizeof(chm_session_args), 0, b.self, nullptr, sdk::str(url)};
}
inline chm_request get(const char* path) {
    return {sizeof(chm_request), 0, {"GET", 3}, sdk::str(path), nullptr, {nullptr, 0}};
}

/// `requests` exchanges, one after the other, each read to its end.
inline sdk::task<void> agent(bridged& b, std::string name, int requests = 1) {
    try {
        sdk::session session(b.bridge, args_for(b, name));
        for (int i = 0; i < requests; ++i) {
            sdk::exchange exchange = session.start(get("/"));
            auto head_wait = exchange.head();
            const chm_head head = co_await head_wait;
            CHECK(head.status == 200);
            REQUIRE(head.n_headers == 1);
            CHECK(sdk::view(head.headers[0].value) == "yes");
            for (;;) {
                auto chunk_wait = exchange.chunk();
                const std::optional<std::string_view> piece = co_await chunk_wait;
                if (!piece) break;
                b.log.add(name + ":" + std::string(*piece));
            }
            b.log.add(name + ":end");
        }
    } catch (const sdk::error& e) {
        b.log.add(name + ":error");
        b.log.add(name + ":" + std::to_string(e.code()) + " " + e.what());
    }
}

} // namespace chimera::async_std_bridge_test
