// Coroutines: values, exceptions, depth, destruction.
#include "chimera/sdk/task.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"
#include "counted_waker.hpp"

using namespace chimera::sdk;

namespace {

/// Polls to the end; how many polls it took. rc is the last result.
int drive(task<> body, chm_rc& rc) {
    counted_waker w;
    chm_task* root = root_task::create(std::move(body));
    int polls = 0;
    do {
        rc = root->vt->poll(root, &w);
        ++polls;
    } while (rc == CHM_PENDING && w.wakes > 0);
    root->vt->drop(root);
    CHECK(w.references == 0);
    return polls;
}

task<int> add(int a, int b) { co_return a + b; }
task<std::unique_ptr<int>> boxed(int v) { co_return std::make_unique<int>(v); }
task<int> yield_then(int v) {
    yield_now once;
    co_await once;
    co_return v;
}
task<int> throwing(const char* what) {
    yield_now once;
    co_await once;
    throw std::runtime_error(what);
}
task<int> nested(int depth) {
    if (depth == 0) co_return 0;
    auto deeper = nested(depth - 1);
    co_return 1 + co_await deeper;
}
task<int> nested_throwing(int depth) {
    if (depth == 0) {
        yield_now once;
        co_await once;
        throw std::runtime_error("from the bottom");
    }
    auto deeper = nested_throwing(depth - 1);
    co_return 1 + co_await deeper;
}
/// Counts the objects alive.
struct tracked {
    explicit tracked(int& n) : alive(&n) { ++*alive; }
    tracked(const tracked& o) : alive(o.alive) { ++*alive; }
    tracked& operator=(const tracked&) = delete;
    ~tracked() { --*alive; }
    int* alive;
};
struct never final : awaitable {
    never() noexcept = default;
    bool poll(chm_waker*) override { return false; }
    void await_resume() const noexcept {}
};
task<> hold_for_ever(tracked, int depth) {
    if (depth > 0) {
        int dummy = 0;
        const tracked local(dummy);
        (void)local;
    }
    never wait;
    co_await wait;
}
task<> hold_nested(tracked t, int depth) {
    const tracked mine = t;
    if (depth > 0) {
        auto deeper = hold_nested(t, depth - 1);
        co_await deeper;
    } else {
        auto last = hold_for_ever(t, 0);
        co_await last;
    }
}
struct throwing_poll final : awaitable {
    explicit throwing_poll(int after) noexcept : left(after) {}
    bool poll(chm_waker* w) override {
        if (left-- == 0) throw std::runtime_error("poll threw");
        w->vt->wake_by_ref(w);
        return false;
    }
    void await_resume() const noexcept {}
    int left;
};

} // namespace

TEST_CASE("values come back, movable ones too, and what is ready costs no poll") {
    int sum = 0;
    const auto body = [&]() -> task<> {
        auto a = add(1, 2);
        sum += co_await a;
        auto b = boxed(10);
        const std::unique_ptr<int> p = co_await b;
        sum += *p;
        sum += co_await add(100, 0); // a task is not an aggregate: it may be a temporary
    };
    chm_rc rc;
    CHECK(drive(body(), rc) == 1);
    CHECK(rc == CHM_READY);
    CHECK(sum == 113);
}

TEST_CASE("a yield is one more poll") {
    int got = 0;
    const auto body = [&]() -> task<> {
        for (int i = 0; i < 3; ++i) {
            auto y = yield_then(i);
            got += co_await y;
        }
    };
    chm_rc rc;
    CHECK(drive(body(), rc) == 4);
    CHECK(got == 3);
}

TEST_CASE("an exception goes to who awaits, and from the root it is CHM_E_FAIL") {
    std::string caught;
    const auto body = [&]() -> task<> {
        try {
            auto t = throwing("inside");
            co_await t;
        } catch (const std::exception& e) {
            caught = e.what();
        }
        try {
            auto deep = nested_throwing(100);
            co_await deep;
        } catch (const std::exception& e) {
            caught += std::string(", ") + e.what();
        }
        auto t = throwing("and out");
        co_await t;
    };
    chm_rc rc;
    drive(body(), rc);
    CHECK(caught == "inside, from the bottom");
    CHECK(rc == CHM_E_FAIL);
}

TEST_CASE("an awaitable whose poll throws, at once or later, fails its task and nothing else") {
    for (const int after : {0, 1, 3}) {
        int alive = 0;
        const auto body = [&]() -> task<> {
            const tracked t(alive);
            throwing_poll p(after);
            co_await p;
        };
        chm_rc rc;
        drive(body(), rc);
        CHECK(rc == CHM_E_FAIL);
        CHECK(alive == 0);
    }
}

TEST_CASE("a hundred thousand awaits one after the other use no stack") {
    int sum = 0;
    const auto body = [&]() -> task<> {
        for (int i = 0; i < 100'000; ++i) {
            auto one = add(1, 0);
            sum += co_await one;
        }
    };
    chm_rc rc;
    CHECK(drive(body(), rc) == 1);
    CHECK(sum == 100'000);
}

TEST_CASE("ten thousand nested awaits use no stack on the way down and up") {
    int depth = 0;
    const auto body = [&]() -> task<> {
        auto all = nested(10'000);
        depth = co_await all;
    };
    chm_rc rc;
    drive(body(), rc);
    CHECK(rc == CHM_READY);
    CHECK(depth == 10'000);
}

TEST_CASE("a task that is dropped while it is suspended destroys every frame once") {
    int alive = 0;
    {
        counted_waker w;
        chm_task* root = root_task::create(hold_nested(tracked(alive), 50));
        CHECK(root->vt->poll(root, &w) == CHM_PENDING);
        CHECK(alive > 50);
        CHECK(root->vt->poll(root, &w) == CHM_PENDING); // a spurious poll changes nothing
        root->vt->drop(root);
    }
    CHECK(alive == 0);
    {
        chm_task* root = root_task::create(hold_nested(tracked(alive), 1)); // never polled
        CHECK(alive > 0);
        root->vt->drop(root);
    }
    CHECK(alive == 0);
}

TEST_CASE("a task that is not awaited is destroyed unrun") {
    int alive = 0;
    const auto body = [&]() -> task<> {
        auto unused = hold_for_ever(tracked(alive), 0);
        auto other = add(1, 1);
        other = add(2, 2); // the first is destroyed with `add(2, 2)`'s temporary
        CHECK(co_await other == 4);
    };
    chm_rc rc;
    drive(body(), rc);
    CHECK(rc == CHM_READY);
    CHECK(alive == 0);
}

namespace {
/// A reactor whose timer is pending once and refuses from then on.
struct refusing_reactor final : chm_reactor {
    refusing_reactor() noexcept : chm_reactor{&table} {}
    int polls = 0;

    static chm_rc create(chm_reactor* r, chm_timer** out) noexcept {
        *out = reinterpret_cast<chm_timer*>(r);
        return CHM_OK;
    }
    static chm_rc poll(chm_reactor* r, chm_timer*, std::uint64_t, chm_waker* waker) noexcept {
        if (static_cast<refusing_reactor*>(r)->polls++ > 0) return CHM_E_AFFINITY;
        waker->vt->wake_by_ref(waker);
        return CHM_PENDING;
    }
    static void destroy(chm_reactor*, chm_timer*) noexcept {}
    static constexpr chm_reactor_vt table{
        sizeof(chm_reactor_vt), 0, nullptr, nullptr, nullptr, nullptr, create, poll, destroy, nullptr};
};
task<> wait_on(timer& t, chm_rc& refusal) {
    try {
        auto expiry = t.at(1);
        co_await expiry;
    } catch (const error& e) {
        refusal = e.code();
    }
}
} // namespace

TEST_CASE("a timer that the reactor refuses to arm has not expired: it throws, inside the coroutine that awaits it") {
    refusing_reactor reactor;
    timer t(&reactor);
    for (int round = 0; round < 2; ++round) { // refused at a later poll, then at the first
        chm_rc rc = CHM_OK, refusal = CHM_OK;
        drive(wait_on(t, refusal), rc);
        CHECK(rc == CHM_READY);
        CHECK(refusal == CHM_E_AFFINITY);
    }
    counted_waker w;
    CHECK_THROWS_AS(t.poll(1, &w), error);
}

TEST_CASE("timing is copied as far as the reader's version of the struct goes") {
    chm_exchange_timing mine{}, out{};
    mine.size = sizeof mine;
    mine.reused = 1;
    mine.sent_ns = mine.readable_ns = 7;
    out.size = offsetof(chm_exchange_timing, first_byte_ns);
    out.readable_ns = 3;
    copy_timing(&out, mine);
    CHECK(out.size == offsetof(chm_exchange_timing, first_byte_ns));
    CHECK(out.reused == 1);
    CHECK(out.sent_ns == 7);
    CHECK(out.readable_ns == 3);
}
