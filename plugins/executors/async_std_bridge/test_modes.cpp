// Streams through the bridge, in each of its modes: who waits for whom, what arrives, and when it was readable.
#include "test_bridged.hpp"

using namespace chimera;
using namespace chimera::test;
using namespace chimera::async_std_bridge_test;

const std::vector<std::string> chimera::test::plugins_under_test{"async_std_bridge", "uv_pinned"};

namespace {

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
