// What must stay true of the bridge, in each of its modes.
#include <algorithm>
#include <condition_variable>
#include <memory>
#include <optional>

#include "../testing/executor_under_test.hpp"
#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/exchange.hpp"
#include "chimera/sdk/waker.hpp"
#include "test_foreign.hpp"
#include "test_transport.hpp"

using namespace chimera;
using namespace chimera::test;
using namespace chimera::async_std_bridge_test;

const std::vector<std::string> chimera::test::plugins_under_test{"async_std_bridge", "uv_pinned"};

namespace {

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

chm_session_args args_for(bridged& b, const std::string& url) {
    return {sizeof(chm_session_args), 0, b.self, nullptr, sdk::str(url)};
}
chm_request get(const char* path) {
    return {sizeof(chm_request), 0, {"GET", 3}, sdk::str(path), nullptr, {nullptr, 0}};
}

/// `requests` exchanges, one after the other, each read to its end.
sdk::task<void> agent(bridged& b, std::string name, int requests = 1) {
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

/// Two agents; everything of B can be read from the start, A's end is withheld until B has ended.
void expect_overlap(bridged& b) {
    b.inner.send("A", "Ha");
    b.inner.send("B", "Hb.");
    b.spawn(agent(b, "A"));
    b.spawn(agent(b, "B"));
    b.run();
    CHECK(b.log.wait_for("A:a"));
    CHECK(b.log.wait_for("B:end"));
    CHECK_FALSE(b.log.has("A:end"));
    b.inner.send("A", ".");
    CHECK(b.finish() == CHM_OK);
    CHECK(b.log.has("A:end"));
}

TEST_CASE("block: one worker serializes two streams") {
    bridged b({{"workers", "1"}, {"await", "block"}});
    b.inner.send("A", "Ha");
    b.inner.send("B", "Hb.");
    b.spawn(agent(b, "A"));
    b.spawn(agent(b, "B"));
    b.run();
    CHECK(b.log.wait_for("A:a"));
    std::this_thread::sleep_for(std::chrono::milliseconds(30)); // B could have come through
    b.inner.send("A", ".");
    CHECK(b.finish() == CHM_OK);
    CHECK(b.log.all() == std::vector<std::string>{"A:a", "A:end", "B:b", "B:end"});
}

TEST_CASE("block: two workers do not serialize two streams") {
    bridged b({{"workers", "2"}, {"await", "block"}});
    expect_overlap(b);
}

TEST_CASE("block: a turn for others after each chunk interleaves two streams on one worker") {
    bridged b({{"workers", "1"}, {"await", "block"}, {"yield_every", "1"}});
    b.inner.send("A", "Hace");
    b.inner.send("B", "Hbdf");
    b.spawn(agent(b, "A"));
    b.spawn(agent(b, "B"));
    b.run();
    CHECK(b.log.wait_for("B:f")); // although A has not ended
    CHECK_FALSE(b.log.has("A:end"));
    b.inner.send("A", ".");
    b.inner.send("B", ".");
    CHECK(b.finish() == CHM_OK);
    const auto events = b.log.all();
    REQUIRE(events.size() == 8);
    CHECK(std::vector(events.begin(), events.begin() + 6) ==
          std::vector<std::string>{"A:a", "B:b", "A:c", "B:d", "A:e", "B:f"});
}

TEST_CASE("wake and channel: one worker serves two streams") {
    for (const char* mode : {"wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"workers", "1"}, {"await", mode}});
        expect_overlap(b);
    }
}

TEST_CASE("an affine foreign reactor is refused by block and wake, and good enough for channel") {
    {
        bridged b({{"await", "channel"}}, foreign_kind::uv);
        expect_overlap(b);
        for (const std::thread::id id : b.inner.threads()) CHECK(id != std::this_thread::get_id());
        CHECK(b.inner.threads().size() == 1); // the foreign worker's, for everything
    }
    for (const char* mode : {"wake", "block"}) {
        CAPTURE(mode);
        const census before;
        byte_transport inner;
        executor_under_test self{{"await", mode}}, foreign({}, "uv_pinned");
        chm_transport* out = nullptr;
        sdk::error_buffer err;
        const auto* ext = static_cast<const chm_bridge_ext*>(self.extension(CHM_EXT_BRIDGE));
        CHECK(ext->wrap(self.get(), foreign.get(), &inner, &out, err.abi()) == CHM_E_AFFINITY);
        CHECK(std::string(err.text()).find("channel") != std::string::npos);
        CHECK(ext->wrap(self.get(), self.get(), &inner, &out, err.abi()) == CHM_E_NOSYS); // it has no reactor at all
        CHECK(out == nullptr);
    }
}

TEST_CASE("an inner session is opened with the executor that polls it, and has its services there") {
    for (const bool channel : {false, true}) {
        CAPTURE(channel);
        std::atomic<int> polls{0}, drops{0};
        chm_executor* opened_on = nullptr;
        bridged b({{"workers", "2"}, {"await", channel ? "channel" : "wake"}},
                  channel ? foreign_kind::uv : foreign_kind::epoll);
        b.inner.when_opened = [&](const chm_session_args& args) {
            opened_on = args.executor;
            const chm_service_ext* services = sdk::service_of(args.executor);
            auto* service = closure_task::counted(drops, [&polls, services, e = args.executor](chm_waker*) -> chm_rc {
                CHECK(services->worker_here(e) >= 0);
                ++polls;
                return CHM_PENDING;
            });
            CHECK(services->spawn_service(args.executor, service, nullptr) == CHM_OK);
        };
        b.inner.send("A", "Ha");
        b.spawn(agent(b, "A"));
        b.run();
        CHECK(b.log.wait_for("A:a"));
        CHECK(block_until([&] { return polls > 0; }));
        b.inner.send("A", ".");
        CHECK(b.finish() == CHM_OK);
        CHECK(opened_on == (channel ? b.foreign : b.self));
        CHECK(b.inner.polled_elsewhere == 0);
        CHECK(drops == (channel ? 0 : 1)); // the foreign executor goes on
        b.take_down();
        CHECK(drops == 1);
    }
}

TEST_CASE("stop ends a run whose only worker is held by a poll") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.inner.send("A", "Ha");
        b.spawn(agent(b, "A"));
        b.run();
        CHECK(b.log.wait_for("A:a"));
        std::this_thread::sleep_for(std::chrono::milliseconds(5)); // the worker is parked by now, or is about to be
        b.self->vt->stop(b.self);
        CHECK(b.finish() == CHM_E_CANCELED);
    }
}

TEST_CASE("a foreign executor that stops first is an error, not a hang") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.inner.send("A", "Ha");
        b.spawn(agent(b, "A"));
        b.run();
        CHECK(b.log.wait_for("A:a"));
        b.stop_foreign();
        CHECK(b.log.wait_for("A:error"));
        CHECK(b.finish() == CHM_OK);
        CHECK(b.log.has("A:" + std::to_string(CHM_E_CANCELED) + " the foreign executor was stopped"));
    }
}

TEST_CASE("a foreign executor that has stopped already is an error, not a hang") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.stop_foreign();
        b.spawn(agent(b, "A"));
        b.run();
        CHECK(b.log.wait_for("A:error"));
        CHECK(b.finish() == CHM_OK);
        chm_transport* const first = std::exchange(b.bridge, nullptr);
        sdk::error_buffer err;
        CHECK((b.wrap(err.abi()) < 0 || std::string(mode) == "channel")); // channel finds out when a session opens
        if (b.bridge) b.bridge->vt->destroy(b.bridge);
        b.bridge = first;
    }
}

TEST_CASE("errors come through with their code and text, after the chunks before them") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.inner.send("A", "Hab!");
        b.spawn(agent(b, "A"));
        b.spawn(agent(b, "bad://url"));
        b.run();
        CHECK(b.finish() == CHM_OK);
        CHECK(b.log.has("A:a"));
        CHECK(b.log.has("A:b"));
        CHECK(b.log.has("A:" + std::to_string(CHM_E_PROTO) + " garbage from A"));
        CHECK(b.log.has("bad://url:" + std::to_string(CHM_E_INVAL) + " cannot parse bad://url"));
    }
}

sdk::task<void> refused_then_served(bridged& b) {
    sdk::session session(b.bridge, args_for(b, "A"));
    try {
        sdk::exchange refused = session.start(get("/refused"));
        auto head_wait = refused.head();
        co_await head_wait;
    } catch (const sdk::error& e) {
        b.log.add(std::to_string(e.code()) + " " + e.what());
    }
    sdk::exchange served = session.start(get("/"));
    auto head_wait = served.head();
    const chm_head head = co_await head_wait;
    CHECK(head.status == 200);
    b.log.add("served");
}

TEST_CASE("a session whose request failed serves the next one") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.inner.send("A", "H");
        b.spawn(refused_then_served(b));
        b.run();
        CHECK(b.finish() == CHM_OK);
        CHECK(b.log.has(std::to_string(CHM_E_CONNECT) + " cannot connect to A"));
        CHECK(b.log.has("served"));
    }
}

sdk::task<void> abandon_then_read(bridged& b) {
    sdk::session session(b.bridge, args_for(b, "A"));
    {
        sdk::exchange abandoned = session.start(get("/"));
        auto head_wait = abandoned.head();
        co_await head_wait;
        auto chunk_wait = abandoned.chunk();
        co_await chunk_wait;
    }
    b.log.add("abandoned");
    const sdk::exchange posted_and_closed = session.start(get("/"));
    static_cast<void>(posted_and_closed);
}

TEST_CASE("closing an unfinished exchange cancels it, on either side of the channel") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.inner.send("A", "Hx");
        b.spawn(abandon_then_read(b));
        b.run();
        CHECK(b.finish() == CHM_OK);
        CHECK(b.log.has("abandoned"));
        b.take_down(); // here the far end has certainly seen it
        CHECK(b.inner.cancelled >= 1);
    }
}

TEST_CASE("one session serves request after request, in all modes") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}, {"channel_capacity", "1"}});
        std::string all;
        for (int i = 0; i < 50; ++i) all += "Hxyz.";
        b.inner.send("A", all);
        b.spawn(agent(b, "A", 50));
        b.run();
        CHECK(b.finish() == CHM_OK);
        CHECK(b.log.all().size() == 200);
        b.take_down();
        CHECK(b.inner.cancelled == 0);
    }
}

/// Reads the head, waits for `go`, then reads the rest.
sdk::task<void> slow_reader(bridged& b, std::atomic<bool>& go, sdk::waker_slot& slot, std::string& body) {
    class gate final : public sdk::awaitable {
      public:
        gate(std::atomic<bool>& g, sdk::waker_slot& s) noexcept : go_(g), slot_(s) {}
        bool poll(chm_waker* waker) override {
            slot_.set(waker);
            return go_.load();
        }
        void await_resume() const noexcept {}

      private:
        std::atomic<bool>& go_;
        sdk::waker_slot& slot_;
    };
    sdk::session session(b.bridge, args_for(b, "A"));
    sdk::exchange exchange = session.start(get("/"));
    auto head_wait = exchange.head();
    co_await head_wait;
    b.log.add("head");
    gate open(go, slot);
    co_await open;
    for (std::uint64_t i = 1;; ++i) {
        auto chunk_wait = exchange.chunk();
        const std::optional<std::string_view> piece = co_await chunk_wait;
        chm_exchange_timing t{};
        t.size = sizeof t;
        b.timing()->read(exchange.get(), &t);
        CHECK(t.retries == 7);
        if (!piece) break;
        CHECK(t.readable_ns == 1000 + i); // of this chunk, however far the other side has come
        body += *piece;
    }
}

TEST_CASE("channel: a reader that is slow holds the far end back, and loses nothing") {
    bridged b({{"await", "channel"}, {"channel_capacity", "3"}});
    const std::string sent = "abcdefghijklmnopqrstuvwxyz";
    b.inner.send("A", "H" + sent + ".");
    std::atomic<bool> go{false};
    sdk::waker_slot slot;
    std::string body;
    b.spawn(slow_reader(b, go, slot, body));
    b.run();
    CHECK(b.log.wait_for("head"));
    while (b.inner.received < 3) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20)); // more could have been pulled
    CHECK(b.inner.received == 3);
    go = true;
    slot.wake();
    CHECK(b.finish() == CHM_OK);
    CHECK(body == sent);
}

TEST_CASE("timing belongs to the chunk that was delivered last, in all modes") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}, {"workers", "2"}});
        REQUIRE(b.timing() != nullptr);
        b.inner.send("A", "Habcdefgh.");
        std::atomic<bool> go{true};
        sdk::waker_slot slot;
        std::string body;
        b.spawn(slow_reader(b, go, slot, body));
        b.run();
        CHECK(b.finish() == CHM_OK);
        CHECK(body == "abcdefgh");
        CHECK(b.bridge->vt->get_extension(b.bridge, "nobody.knows/1") == nullptr);
    }
}

/// One exchange of one chunk.
sdk::task<void> one_chunk(bridged& b, std::uint64_t& readable, std::uint64_t& delivered) {
    sdk::session session(b.bridge, args_for(b, "A"));
    sdk::exchange exchange = session.start(get("/"));
    auto head_wait = exchange.head();
    co_await head_wait;
    b.log.add("head");
    auto chunk_wait = exchange.chunk();
    co_await chunk_wait;
    delivered = sdk::now_ns();
    chm_exchange_timing t{};
    t.size = sizeof t;
    b.timing()->read(exchange.get(), &t);
    readable = t.readable_ns;
}

TEST_CASE("of a chunk whose arrival nobody knows, block says when its wait for it ended, the others nothing") {
    for (const std::string mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}});
        b.inner.knows_readable = false;
        b.inner.send("A", "H");
        std::uint64_t readable = 0, delivered = 0;
        b.spawn(one_chunk(b, readable, delivered));
        b.run();
        CHECK(b.log.wait_for("head"));
        std::this_thread::sleep_for(std::chrono::milliseconds(30)); // the wait for the chunk
        const std::uint64_t sent = sdk::now_ns();
        b.inner.send("A", "a.");
        CHECK(b.finish() == CHM_OK);
        if (mode == "block") {
            CHECK(readable >= sent);
            CHECK(readable <= delivered);
        } else {
            CHECK(readable == 0);
        }
    }
}

TEST_CASE("many streams at once, on several workers, in all modes") {
    for (const char* mode : {"block", "wake", "channel"}) {
        CAPTURE(mode);
        bridged b({{"await", mode}, {"workers", "3"}, {"yield_every", "2"}, {"channel_capacity", "2"}});
        constexpr int agents = 20;
        for (int i = 0; i < agents; ++i) b.spawn(agent(b, "agent" + std::to_string(i)));
        for (int i = 0; i < agents; ++i) b.inner.send("agent" + std::to_string(i), "H");
        b.run();
        std::thread server([&] {
            for (const char* bytes : {"1", "2", "345", "6", "."})
                for (int i = 0; i < agents; ++i) b.inner.send("agent" + std::to_string(i), bytes);
        });
        server.join();
        CHECK(b.finish() == CHM_OK);
        CHECK(b.log.all().size() == agents * 7);
    }
}

} // namespace
