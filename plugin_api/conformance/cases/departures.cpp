// Endpoints that leave: members, and the hub.
#include <string>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/environment.hpp"
#include "../kit/group.hpp"

namespace chimera::conformance {

namespace {

sdk::task<void> member_leaves(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    // A send to it waits for room, and the others wait for it at a barrier.
    chm_rc full = CHM_READY;
    while (full == CHM_READY) full = g.member(1).send_now(mine.get(), 2, 1, "x");
    expect_code(full, CHM_PENDING, "poll_send without room");
    for (std::size_t i = 0; i < 2; ++i)
        expect_code(g.member(i).vt().poll_barrier(g.member(i).raw(), mine.get(), sdk::str("b"), nullptr), CHM_PENDING,
                    "poll_barrier while a member is missing");
    g.member(2).close();
    for (std::size_t i = 0; i < 2; ++i) {
        co_await g.member(i).barrier("b");
        co_await g.member(i).hears_of(CHM_EVENT_DOWN, 2);
    }
    co_await g.hub->hears_of(CHM_EVENT_DOWN, 2);
    for (party* p : {g.hub.get(), &g.member(0), &g.member(1)}) {
        const chm_rc rc = co_await p->try_send(2, 1, "x");
        expect_code(rc, CHM_E_CLOSED, "poll_send to a member that has left");
    }
    // The others go on.
    co_await g.member(0).send(1, 1, "still here");
    co_await g.member(1).send(CHM_TO_ALL, 1, "still here");
    co_await g.hub->send(0, 1, "still here");
    for (party* p : {g.hub.get(), &g.member(0), &g.member(0), &g.member(1)}) {
        const got_message m = co_await p->receive();
        expect_equal(m.body, "still here", "a message between those who stay");
    }
    // It may come back.
    party& again = g.add_member(2);
    co_await again.ready();
    co_await g.member(0).hears_of(CHM_EVENT_UP, 2);
    co_await g.member(0).send(2, 1, "welcome");
    const got_message m = co_await again.receive();
    expect_equal(m.body, "welcome", "the first message to a member that came back");
}

void member_gone(environment& env) {
    group_args args(env, 3);
    args.max_queue = 4;
    with_group(env, args, member_leaves);
}

sdk::task<void> hub_leaves(group& g) {
    co_await g.assemble();
    const std::uint64_t proposal = g.member(0).propose("low");
    co_await g.all_hear_of(proposal);
    for (int i = 0; i < 3; ++i) {
        co_await g.hub->send(CHM_TO_ALL, 1, "before the end");
    }
    g.hub->close();
    const std::uint64_t begin = sdk::now_ns();
    for (std::size_t i = 0; i < 3; ++i) {
        party& m = g.member(i);
        for (int k = 0; k < 3; ++k) {
            const got_message got = co_await m.receive();
            expect_equal(got.body, "before the end", "what had arrived");
        }
        got_message none;
        const chm_rc received = co_await m.try_receive(&none);
        expect(received == CHM_END || received == CHM_E_CLOSED,
               "poll_receive without the hub must give CHM_END or CHM_E_CLOSED, not " + code_name(received));
        got_event event;
        chm_rc heard = CHM_READY;
        while (heard == CHM_READY) {
            heard = co_await m.try_event(&event);
        }
        expect(heard == CHM_END || heard == CHM_E_CLOSED,
               "poll_event without the hub must give CHM_END or CHM_E_CLOSED, not " + code_name(heard));
        for (const std::int32_t to : {std::int32_t{CHM_TO_HUB}, i == 0 ? 1 : 0}) {
            const chm_rc rc = co_await m.try_send(to, 1, "x");
            expect_code(rc, CHM_E_CLOSED, "poll_send without the hub");
        }
        const chm_rc met = co_await m.try_barrier("b");
        expect_code(met, CHM_E_CLOSED, "poll_barrier without the hub");
        std::uint64_t another = 0;
        expect_code(m.try_propose("low", "", &another), CHM_E_CLOSED, "propose without the hub");
    }
    for (std::size_t i = 0; i < 3; ++i) {
        const got_decision d = co_await g.member(i).decision(proposal);
        expect_equal(d.outcome, std::uint32_t{CHM_ABORTED}, "the outcome of a proposal whose hub is gone");
    }
    expect(sdk::now_ns() - begin < g.args.decision_ns + (sanitized ? 20 : 2) * 1'000'000'000ULL,
           "a proposal must end within its time limit");
}

void hub_gone(environment& env) {
    group_args args(env, 3);
    args.decision_ns = 500'000'000;
    with_group(env, args, hub_leaves);
}

sdk::task<void> leaves_unsaid(group& g) {
    // Never ready, ready and unheard of, the hub before its members: nothing is left, and nothing hangs.
    co_await g.open();
    g.add_member(0);
    co_await g.add_member(1).ready();
    g.add_member(2);
    g.hub->close();
    g.member(0).close();
}

struct stop_at_end {
    executor& of;
    ~stop_at_end() { of.stop(); }
};

/// The task of everybody is dropped in the middle of a transfer, by the end of the executor.
void executor_stops(environment& env) {
    const std::shared_ptr<chm_coordinator> of(env.make_coordinator(), [](chm_coordinator* c) { c->vt->destroy(c); });
    for (const unsigned after : {0U, 1U, 20U, 200U}) {
        const auto on = env.make_executor_below();
        const auto body = [](environment& e, executor& o, chm_coordinator* c, unsigned rounds) -> sdk::task<void> {
            const stop_at_end end{o}; // also where a check fails
            group g(e, o, c, group_args(e, 3));
            co_await g.assemble();
            for (unsigned i = 0;; ++i) {
                if (i == rounds) o.stop();
                co_await g.member(0).send(1, 1, "x");
                co_await g.hub->send(1, 1, "y");
                co_await g.member(2).send(CHM_TO_HUB, 1, "z");
                for (int k = 0; k < 2; ++k) {
                    const got_message m = co_await g.member(1).receive();
                    expect_equal(m.body.size(), std::size_t{1}, "the length of a message");
                }
                const got_message m = co_await g.hub->receive();
                expect_equal(m.body, "z", "a message");
                sdk::yield_now once;
                co_await once;
            }
        };
        on->spawn(body(env, *on, of.get(), after));
        on->run(CHM_RUN_UNTIL_STOP);
        on->destroy();
    }
}

template <sdk::task<void> (*Body)(group&)>
void within(environment& env) {
    with_group(env, group_args(env, 3), Body);
}

constexpr test_case cases[] = {
    {"group.member_gone", kind::coordinator, "When a member leaves, the others are told and go on", member_gone},
    {"group.hub_gone", kind::coordinator, "When the hub leaves, members get what had arrived, and then the end",
     hub_gone},
    {"group.left_half_joined", kind::coordinator, "An endpoint may be closed at any point of its joining",
     within<leaves_unsaid>},
    {"group.executor_stops", kind::coordinator, "Endpoints are closed by the end of their executor without a trace",
     executor_stops},
};

} // namespace

std::span<const test_case> departure_cases() { return cases; }

} // namespace chimera::conformance
