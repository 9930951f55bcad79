// Joining a group, its barriers and its clocks.
#include <algorithm>
#include <string>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/environment.hpp"
#include "../kit/group.hpp"

namespace chimera::conformance {

namespace {

sdk::task<void> joined(group& g) {
    co_await g.assemble(); // which checks that all are ready, and hear of each other
    const std::string address = g.hub->address();
    if (g.in_process()) {
        expect_equal(address, "", "the address of a group within the process");
    } else {
        const std::string port = address.substr(std::min(address.rfind(':') + 1, address.size()));
        expect(!port.empty() && port != "0" &&
                   std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }),
               "the hub's address must have its port: " + address);
    }
    for (int again = 0; again < 2; ++again) {
        co_await g.hub->ready();
        co_await g.member(0).ready();
    }
}

void joins(environment& env) {
    for (const unsigned members : {1U, 3U, 4U}) with_group(env, group_args(env, members), joined);
}

sdk::task<void> refused_arguments(group& g) {
    const auto refused = [&](std::int32_t self, std::string_view what, auto change) {
        group_args wrong = g.args;
        change(wrong);
        expect_code(party::try_join(g.on, g.of, wrong, self), CHM_E_INVAL, "join's result for " + std::string(what));
    };
    for (const std::int32_t self : {std::int32_t{CHM_TO_HUB}, 0}) {
        refused(self, "no members", [](group_args& a) { a.members.clear(); });
        refused(self, "a name twice", [](group_args& a) { a.members[1] = a.members[0]; });
        for (const std::uint32_t level : {CHM_CLASS_HIGH, CHM_CLASS_CRITICAL})
            refused(self, "an action of class high or critical in a group of three",
                    [&](group_args& a) { a.actions.emplace_back("deploy", level); });
    }
    for (const std::int32_t self : {3, std::int32_t{CHM_TO_ALL}, -3})
        refused(self, "self out of range", [](group_args&) {});
    if (!g.in_process()) {
        for (const std::int32_t self : {std::int32_t{CHM_TO_HUB}, 0}) {
            refused(self, "a missing key", [](group_args& a) { a.keys.clear(); });
            refused(self, "a key that is not hex", [](group_args& a) { a.keys[0][0] = 'x'; });
        }
        expect_code(party::try_join(g.on, g.of, g.args, 0, false), CHM_E_NOSYS, "join's result without a reactor");
    }
    co_await g.assemble(); // nothing is left of those
}

/// The result of joining as it takes effect: in join, or in poll_ready.
sdk::task<chm_rc> result_of_joining(group& g, group_args args, std::int32_t self) {
    if (const chm_rc rc = party::try_join(g.on, g.of, args, self); rc < 0) co_return rc;
    // The one that was tried has left again. A hub would still be taking leave of its address.
    party p(g.env, g.on, g.of, args, self);
    co_return co_await p.try_ready();
}

sdk::task<void> place_taken(group& g) {
    co_await g.assemble();
    for (const std::int32_t self : {std::int32_t{CHM_TO_HUB}, 1}) {
        const chm_rc rc = co_await result_of_joining(g, g.args, self);
        expect(rc < 0, "who is in the group already must not join a second time");
    }
    co_await g.member(1).send(0, 1, "the first is still there");
    const got_message m = co_await g.member(0).receive();
    expect_equal(m.from, 1, "the sender");
}

sdk::task<void> another_epoch(group& g) {
    co_await g.open();
    const auto refused = [&](std::string_view what, group_args args) -> sdk::task<void> {
        const chm_rc rc = co_await result_of_joining(g, std::move(args), 0);
        expect_code(rc, CHM_E_PROTO, "the result of joining with " + std::string(what));
    };
    group_args wrong = g.args;
    wrong.epoch += 1;
    co_await refused("a later epoch", wrong);
    wrong.epoch -= 2;
    co_await refused("an earlier epoch", wrong);
    wrong = g.args;
    std::swap(wrong.members[1], wrong.members[2]);
    std::swap(wrong.keys[1], wrong.keys[2]);
    co_await refused("members in another order", wrong);
    wrong = g.args;
    wrong.members.pop_back();
    co_await refused("a member less", wrong);
    if (!g.in_process()) { // where another name is another group
        wrong = g.args;
        wrong.name = "other";
        co_await refused("another group's name", wrong);
    }
    party& right = g.add_member(0);
    co_await right.ready(); // the place is free
    co_await g.hub->hears_of(CHM_EVENT_UP, 0);
}

sdk::task<void> wrong_key(group& g) {
    co_await g.open();
    group_args wrong = g.args;
    std::swap(wrong.keys[0], wrong.keys[1]);
    const chm_rc rc = co_await result_of_joining(g, wrong, 0);
    expect_code(rc, CHM_E_TLS, "the result of joining with another member's key");
    party& right = g.add_member(0);
    co_await right.ready();
}

sdk::task<void> nobody_listens(group& g) {
    co_await g.open();
    g.hub->close();
    co_await g.pass_ms(100);
    group_args nowhere = g.args;
    nowhere.address = "127.0.0.1:1";
    const chm_rc rc = co_await result_of_joining(g, nowhere, 0);
    expect_code(rc, CHM_E_CONNECT, "the result of joining where nobody listens");
}

/// One poll with this waker.
chm_rc poll_barrier(party& p, std::string_view name, chm_waker* w) {
    return p.vt().poll_barrier(p.raw(), w, sdk::str(name), nullptr);
}

sdk::task<void> meets(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 2; ++i)
            expect_code(poll_barrier(g.member(i), "start", mine.get()), CHM_PENDING, "poll_barrier before all came");
        co_await g.pass_ms(20);
        for (std::size_t i = 0; i < 2; ++i)
            expect_code(poll_barrier(g.member(i), "start", mine.get()), CHM_PENDING,
                        "poll_barrier while a member is missing");
        expect_code(poll_barrier(g.member(0), "another", mine.get()), CHM_E_STATE,
                    "poll_barrier while the member waits at another one");
        for (const std::size_t i : {2, 0, 1}) {
            co_await g.member(i).barrier("start");
        }
    }
    expect_code(poll_barrier(*g.hub, "start", mine.get()), CHM_E_STATE, "poll_barrier of the hub");
}

sdk::task<void> clocks_agree(group& g) {
    co_await g.assemble();
    const auto ask = [](party& p, std::int32_t who, std::int64_t& offset, std::uint64_t& bound) {
        return p.vt().clock_offset(p.raw(), who, &offset, &bound, nullptr);
    };
    std::int64_t offset = 0;
    std::uint64_t bound = 0;
    const auto check = [&](party& p, std::int32_t who) -> sdk::task<void> {
        chm_rc rc = CHM_E_STATE;
        for (int tries = 0; tries < 1000 && (rc = ask(p, who, offset, bound)) == CHM_E_STATE; ++tries) {
            co_await g.pass_ms(10);
        }
        expect_code(rc, CHM_OK, "clock_offset ten seconds after the join");
        const std::uint64_t off = static_cast<std::uint64_t>(offset < 0 ? -offset : offset);
        expect(off <= bound + 1'000'000, "the clocks of one machine differ by " + std::to_string(offset) +
                                             " ns, at most " + std::to_string(bound) + " ns are said to be wrong");
    };
    for (std::int32_t i = 0; i < 3; ++i) {
        co_await check(*g.hub, i);
        co_await check(g.member(static_cast<std::size_t>(i)), CHM_TO_HUB);
    }
    for (const std::int32_t who : {std::int32_t{CHM_TO_HUB}, 3, std::int32_t{CHM_TO_ALL}})
        expect_code(ask(*g.hub, who, offset, bound), CHM_E_INVAL, "the hub's clock_offset of no member");
    for (const std::int32_t who : {0, 1, 3, std::int32_t{CHM_TO_ALL}})
        expect_code(ask(g.member(0), who, offset, bound), CHM_E_INVAL,
                    "a member's clock_offset of another than the hub");
}

template <sdk::task<void> (*Body)(group&), unsigned Members = 3>
void within(environment& env) {
    with_group(env, group_args(env, Members), Body);
}

template <sdk::task<void> (*Body)(group&)>
void over_network(environment& env) {
    needs_network(env);
    with_group(env, group_args(env, 3), Body);
}

constexpr test_case cases[] = {
    {"group.joins", kind::coordinator, "Hub and members become ready, and each hears of every other", joins},
    {"group.refused_arguments", kind::coordinator, "Arguments with a fault are refused by join, with a message",
     within<refused_arguments>},
    {"group.place_taken", kind::coordinator, "Who is in the group does not join a second time", within<place_taken>},
    {"group.epoch", kind::coordinator, "A member of another epoch or membership is refused with CHM_E_PROTO",
     within<another_epoch>},
    {"group.wrong_key", kind::coordinator, "A member with another's key is refused with CHM_E_TLS",
     over_network<wrong_key>},
    {"group.nobody_listens", kind::coordinator, "A member whose hub is not there fails", over_network<nobody_listens>},
    {"group.barrier", kind::coordinator, "A barrier opens when all members are there, and not before", within<meets>},
    {"group.clock", kind::coordinator, "The clocks of endpoints on one machine agree within the bound",
     within<clocks_agree>},
};

} // namespace

std::span<const test_case> group_cases() { return cases; }

} // namespace chimera::conformance
