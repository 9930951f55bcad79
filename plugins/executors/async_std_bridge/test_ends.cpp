// Ends of the bridge: stop, foreign executors that stop first, errors, and exchanges that are closed early.
#include "test_bridged.hpp"

using namespace chimera;
using namespace chimera::test;
using namespace chimera::async_std_bridge_test;

namespace {

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

} // namespace
