#include "model_runner.hpp"

#include <doctest/doctest.h>

using namespace chimera::sim;

namespace {

struct request {
    runner_key wanted;
    const runner_key& key() const { return wanted; }
};

using runner = model_runner<request>;

const runner_key one{"m", 10, 512};
const runner_key other{"m", 20, 512};

void load(runner& r, request& wanted) {
    request* subject = nullptr;
    REQUIRE(r.next(subject) == runner::step::load);
    REQUIRE(subject == &wanted);
    CHECK(r.next(subject) == runner::step::none);
    r.finish_load(wanted.key());
}

void start(runner& r, request& wanted) {
    request* subject = nullptr;
    REQUIRE(r.next(subject) == runner::step::start);
    REQUIRE(subject == &wanted);
}

void wait(runner& r) {
    request* subject = nullptr;
    CHECK(r.next(subject) == runner::step::none);
}

} // namespace

TEST_CASE("requests beyond the slots wait in the order in which they came") {
    runner r(2);
    request a{one}, b{one}, c{one}, d{one};
    for (auto* q : {&a, &b, &c, &d}) {
        r.enqueue(*q);
    }
    load(r, a);
    start(r, a);
    start(r, b);
    wait(r);
    CHECK(r.queued() == 2);
    r.release();
    start(r, c);
    wait(r);
    r.release();
    start(r, d);
    CHECK(r.active() == 2);
}

TEST_CASE("another num_gpu is another runner, loaded only when the present one is idle, and nobody overtakes") {
    runner r(0);
    request a{one}, b{other}, c{one};
    for (auto* q : {&a, &b, &c}) {
        r.enqueue(*q);
    }
    load(r, a);
    start(r, a);
    wait(r);
    r.release();
    load(r, b);
    start(r, b);
    wait(r);
    r.release();
    load(r, c);
    start(r, c);
}

TEST_CASE("a request withdrawn while its model loads gives the load up and lets the next one begin") {
    runner r(1);
    request a{one}, b{one};
    r.enqueue(a);
    r.enqueue(b);
    request* subject = nullptr;
    REQUIRE(r.next(subject) == runner::step::load);
    CHECK(r.withdraw(a));
    load(r, b);
    start(r, b);
    CHECK_FALSE(r.withdraw(b));
}

TEST_CASE("unloading waits until the model is idle") {
    runner r(1);
    request a{one}, b{one};
    r.enqueue(a);
    load(r, a);
    start(r, a);
    r.unload();
    r.enqueue(b);
    wait(r);
    r.release();
    load(r, b);
    start(r, b);
    r.release();
    r.unload();
    r.enqueue(a);
    load(r, a);
}
