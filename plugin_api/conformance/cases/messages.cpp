// Messages: order, room for them, and the wakers of those who wait.
#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/environment.hpp"
#include "../kit/group.hpp"
#include "../kit/on_reactor.hpp"

namespace chimera::conformance {

namespace {

/// The length of the i-th message of a stream: most are short, some need many packets, some are empty.
std::size_t length_of(unsigned i) { return i % 17 == 0 ? 20'000U : i % 5 == 0 ? 0U : i % 100; }
std::string body_of(std::int32_t from, unsigned i) {
    return std::string(length_of(i), static_cast<char>('a' + (from + 2 + static_cast<std::int32_t>(i)) % 26));
}

constexpr unsigned in_a_stream = 60;
constexpr std::uint32_t channels[] = {1, 7};

sdk::task<void> everybody_to_everybody(party& me, const group_args& args) {
    const auto n = static_cast<std::int32_t>(args.members.size());
    for (unsigned i = 0; i < in_a_stream; ++i) {
        for (std::int32_t to = CHM_TO_ALL; to < n; ++to) {
            if (to == me.number()) continue;
            for (const std::uint32_t channel : channels) {
                const std::uint64_t seq = co_await me.send(to, channel, body_of(me.number(), i));
                expect_equal(seq, std::uint64_t{i} + 1, "the number of a message that was sent");
            }
        }
    }
    std::map<std::tuple<std::int32_t, std::int32_t, std::uint32_t>, unsigned> streams;
    const unsigned all = static_cast<unsigned>(n) * 2 * 2 * in_a_stream; // n others, to me and to all, two channels
    for (unsigned got = 0; got < all; ++got) {
        const got_message m = co_await me.receive();
        expect(m.from != me.number() && (m.to == me.number() || m.to == CHM_TO_ALL),
               "a message must be for its receiver");
        unsigned& next = streams[{m.from, m.to, m.channel}];
        expect_equal(m.seq, std::uint64_t{next} + 1, "the number of a message from " + std::to_string(m.from));
        expect(m.body == body_of(m.from, next), "a message must arrive as it was sent");
        ++next;
    }
    expect_equal(streams.size(), static_cast<std::size_t>(n) * 4, "the number of streams");
    // The hub's close ends the group: it waits until all have everything.
    if (me.number() != CHM_TO_HUB) {
        co_await me.send(CHM_TO_HUB, 99, "done");
        got_message m;
        const chm_rc rc = co_await me.try_receive(&m);
        expect_code(rc, CHM_END, "poll_receive after the hub has closed");
        co_return;
    }
    for (std::int32_t i = 0; i < n; ++i) {
        const got_message m = co_await me.receive();
        expect_equal(m.body, "done", "the message at the end");
    }
}

void in_order(environment& env) { with_group_apart(env, group_args(env, 3), everybody_to_everybody); }

sdk::task<void> expect_stream(party& at, std::int32_t from, unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
        const got_message m = co_await at.receive();
        expect_equal(m.from, from, "the sender");
        expect_equal(m.seq, std::uint64_t{i} + 1, "the number of a message whose sender has closed");
        expect(m.body == body_of(from, i), "a message must arrive as it was sent");
    }
}

sdk::task<void> closes_at_once(group& g) {
    co_await g.assemble();
    constexpr unsigned n = 100;
    for (const std::int32_t to : {std::int32_t{CHM_TO_HUB}, 1, 2}) {
        for (unsigned i = 0; i < n; ++i) {
            co_await g.member(0).send(to, 1, body_of(0, i));
        }
    }
    g.member(0).close();
    co_await expect_stream(g.member(1), 0, n);
    co_await expect_stream(g.member(2), 0, n);
    co_await expect_stream(*g.hub, 0, n);
    for (unsigned i = 0; i < n; ++i) {
        co_await g.hub->send(CHM_TO_ALL, 1, body_of(CHM_TO_HUB, i));
    }
    g.hub->close();
    for (const std::size_t member : {1, 2}) {
        co_await expect_stream(g.member(member), CHM_TO_HUB, n);
        got_message m;
        const chm_rc rc = co_await g.member(member).try_receive(&m);
        expect_code(rc, CHM_END, "poll_receive after the hub has closed");
    }
}

constexpr unsigned few = 4;

/// Sends until there is no room, and returns how many were taken. The waker is kept.
unsigned fill(party& from, std::int32_t to, chm_waker* w) {
    unsigned taken = 0;
    for (chm_rc rc = CHM_READY; taken < 100; ++taken) {
        rc = from.send_now(w, to, 1, body_of(from.number(), taken));
        if (rc == CHM_PENDING) break;
        expect_code(rc, CHM_READY, "poll_send's result");
    }
    return taken;
}

sdk::task<void> has_bounds(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    for (const auto& [from, to] : {std::pair{0, 1}, {1, CHM_TO_HUB}, {CHM_TO_HUB, 2}, {2, CHM_TO_ALL}}) {
        party& sender = from == CHM_TO_HUB ? *g.hub : g.member(static_cast<std::size_t>(from));
        counting_waker room(mine);
        expect_equal(fill(sender, to, room.get()), few, "the number of messages that are taken while nobody receives");
        expect_equal(room.references(), 1, "the number of references to the waker of a send that waits");
        co_await g.pass_ms(20); // they arrive, and still wait
        expect_code(sender.send_now(room.get(), to, 1, "x"), CHM_PENDING, "poll_send while nobody receives");
        std::vector<party*> receivers;
        if (to == CHM_TO_ALL)
            receivers = {g.hub.get(), &g.member(0), &g.member(1)};
        else
            receivers = {to == CHM_TO_HUB ? g.hub.get() : &g.member(static_cast<std::size_t>(to))};
        for (party* r : receivers) {
            for (unsigned i = 0; i < few; ++i) {
                const got_message m = co_await r->receive();
                expect(m.body == body_of(from, i), "a message that waited must arrive as it was sent");
            }
        }
        co_await yield_until([&] { return room.wakes() > 0; }, "the wake of a send that waits for room");
        const std::uint64_t seq = co_await sender.send(to, 1, "more");
        expect_equal(seq, std::uint64_t{few} + 1, "the number of the message after the wait");
        for (party* r : receivers) {
            const got_message m = co_await r->receive();
            expect_equal(m.body, "more", "the message after the wait");
        }
    }
}

sdk::task<void> slow_receivers(party& me, const group_args&) {
    constexpr unsigned n = 300;
    if (me.number() == 0) {
        for (unsigned i = 0; i < n; ++i) {
            co_await me.send(1, 1, body_of(0, i));
            co_await me.send(CHM_TO_ALL, 2, body_of(0, i));
        }
    } else {
        unsigned next[3] = {};
        for (unsigned got = 0, all = me.number() == 1 ? 2 * n : n; got < all; ++got) {
            const got_message m = co_await me.receive();
            unsigned& i = next[m.channel % 3];
            expect_equal(m.seq, std::uint64_t{i} + 1, "the number of a message");
            expect(m.body == body_of(0, i), "a message must arrive as it was sent");
            ++i;
            if (got % 7 == 0) {
                sdk::yield_now once;
                co_await once;
            }
        }
    }
    if (me.number() == CHM_TO_HUB) { // stays until the members are done
        for (int i = 0; i < 2; ++i) {
            static_cast<void>(co_await me.event_of(CHM_EVENT_DOWN));
        }
    }
}

void back_pressure(environment& env) {
    group_args args(env, 3);
    args.max_queue = few;
    with_group(env, args, has_bounds);
    args.members.pop_back();
    args.keys.pop_back();
    with_group_apart(env, args, slow_receivers);
}

/// A poll that waits, and what ends its wait.
struct waiting_poll {
    const char* name;
    std::function<chm_rc(party&, chm_waker*)> poll;
};

sdk::task<void> wakers_kept(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    party& m = g.member(0);
    const std::uint64_t proposal = m.propose("low");
    co_await g.all_hear_of(proposal);
    const std::vector<waiting_poll> polls{{"poll_receive",
                                           [](party& p, chm_waker* w) {
                                               chm_message out{};
                                               out.size = sizeof out;
                                               return p.vt().poll_receive(p.raw(), w, &out, nullptr);
                                           }},
                                          {"poll_event",
                                           [](party& p, chm_waker* w) {
                                               chm_group_event out{};
                                               out.size = sizeof out;
                                               return p.vt().poll_event(p.raw(), w, &out, nullptr);
                                           }},
                                          {"poll_decision",
                                           [proposal](party& p, chm_waker* w) {
                                               chm_decision out{};
                                               out.size = sizeof out;
                                               return p.vt().poll_decision(p.raw(), w, proposal, &out, nullptr);
                                           }},
                                          {"poll_barrier", [](party& p, chm_waker* w) {
                                               return p.vt().poll_barrier(p.raw(), w, sdk::str("b"), nullptr);
                                           }}};
    std::vector<std::unique_ptr<counting_waker>> first, last;
    for (const waiting_poll& p : polls) {
        const auto kept_by = [&](counting_waker& w) {
            expect_code(p.poll(m, w.get()), CHM_PENDING, std::string(p.name) + " with nothing to give");
            // A timer for the time limit of a proposal may keep one as well.
            const int kept = w.references();
            expect(kept == 1 || (kept == 2 && std::string_view(p.name) == "poll_decision"),
                   std::string(p.name) + " must keep one reference to its waker, and keeps " + std::to_string(kept));
        };
        counting_waker& one = *first.emplace_back(std::make_unique<counting_waker>(mine));
        counting_waker& other = *last.emplace_back(std::make_unique<counting_waker>(mine));
        kept_by(one);
        kept_by(other);
        expect_equal(one.references(), 0, "the references to a waker that another has replaced");
    }
    for (std::size_t i = 0; i < polls.size(); ++i)
        expect(last[i]->references() > 0, std::string(polls[i].name) + " must keep a waker of its own");
    // What each of them waits for.
    co_await g.member(1).send(0, 1, "x");
    static_cast<void>(g.member(1).propose("low"));
    for (std::size_t i = 1; i < 3; ++i) g.member(i).vote(proposal, true);
    for (std::size_t i = 1; i < 3; ++i) // pending: the other one, or its release, is on its way
        static_cast<void>(g.member(i).vt().poll_barrier(g.member(i).raw(), mine.get(), sdk::str("b"), nullptr));
    for (std::size_t i = 0; i < polls.size(); ++i) {
        co_await yield_until([&] { return last[i]->wakes() > 0; }, std::string("the wake of ") + polls[i].name);
        expect_equal(first[i]->wakes(), 0U,
                     std::string(polls[i].name) + ": wakes of a waker that another has replaced");
        expect_code(polls[i].poll(m, last[i]->get()), CHM_READY, std::string(polls[i].name) + " after its wake");
    }
}

sdk::task<void> closed_while_waiting(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    const std::uint64_t proposal = g.member(0).propose("low");
    co_await g.all_hear_of(proposal);
    for (const bool hub : {false, true}) {
        counting_waker kept(mine);
        party& p = hub ? *g.hub : g.member(0);
        chm_message message{};
        message.size = sizeof message;
        chm_group_event event{};
        event.size = sizeof event;
        chm_decision decision{};
        decision.size = sizeof decision;
        expect_code(p.vt().poll_receive(p.raw(), kept.get(), &message, nullptr), CHM_PENDING, "poll_receive");
        while (p.vt().poll_event(p.raw(), kept.get(), &event, nullptr) == CHM_READY) {
        }
        if (!hub) {
            expect_code(p.vt().poll_decision(p.raw(), kept.get(), proposal, &decision, nullptr), CHM_PENDING,
                        "poll_decision");
            expect_code(p.vt().poll_barrier(p.raw(), kept.get(), sdk::str("b"), nullptr), CHM_PENDING, "poll_barrier");
        }
        expect(kept.references() > 0, "polls that wait must keep the waker");
        p.close();
        const unsigned wakes = kept.wakes();
        static_cast<void>(co_await g.member(1).try_send(0, 1, "to who has closed")); // what may wake it
        co_await yield_until([&] { return kept.references() == 0; }, "the end of the references after close");
        co_await g.pass_ms(20);
        expect_equal(kept.wakes() - wakes, 0U, "the number of wakes after close");
    }
}

sdk::task<void> refused_messages(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    const std::string longest(g.args.max_message, 'x'), longer(g.args.max_message + 1, 'x');
    for (party* p : {g.hub.get(), &g.member(0)}) {
        const std::int32_t to = p->number() == CHM_TO_HUB ? 1 : CHM_TO_HUB;
        expect_code(p->send_now(mine.get(), to, 1, longer), CHM_E_LIMIT, "poll_send of more than max_message");
        for (const std::int32_t nobody : {3, -3, p->number()})
            expect_code(p->send_now(mine.get(), nobody, 1, "x"), CHM_E_INVAL, "poll_send to " + std::to_string(nobody));
        // What was refused is not counted.
        const std::uint64_t seq = co_await p->send(to, 1, longest);
        expect_equal(seq, std::uint64_t{1}, "the number of the first message that was taken");
        const chm_str parts[] = {sdk::str("one "), sdk::str(""), sdk::str("message")};
        endpoint_wait in_parts(g.env.probes(), g.on.reactor(), "poll_send", [&](chm_waker* w, chm_error* e) {
            return p->vt().poll_send(p->raw(), w, to, 1, parts, 3, nullptr, e);
        });
        const chm_rc rc = co_await in_parts;
        expect_code(rc, CHM_READY, "poll_send of three parts");
        endpoint_wait empty(g.env.probes(), g.on.reactor(), "poll_send", [&](chm_waker* w, chm_error* e) {
            return p->vt().poll_send(p->raw(), w, to, 1, nullptr, 0, nullptr, e);
        });
        const chm_rc nothing = co_await empty;
        expect_code(nothing, CHM_READY, "poll_send of no parts");
        party& receiver = to == CHM_TO_HUB ? *g.hub : g.member(1);
        for (const std::string& wanted : {longest, std::string("one message"), std::string()}) {
            const got_message m = co_await receiver.receive();
            expect(m.body == wanted, "a message must arrive as it was sent");
        }
    }
    std::uint64_t proposal = 0;
    expect_code(g.member(0).try_propose("low", longer, &proposal), CHM_E_LIMIT, "propose with more than max_message");
    expect_code(g.hub->try_propose("low", "", &proposal), CHM_E_STATE, "propose of the hub");
    expect_code(g.member(0).try_vote(12345, true), CHM_E_INVAL, "the vote on a proposal that does not exist");
    chm_decision none{};
    none.size = sizeof none;
    expect_code(g.member(0).vt().poll_decision(g.member(0).raw(), mine.get(), 12345, &none, nullptr), CHM_E_INVAL,
                "poll_decision of a proposal that does not exist");
}

void limits(environment& env) {
    group_args args(env, 3);
    args.max_message = 5000;
    with_group(env, args, refused_messages);
}

/// Throws failure if `fill` writes behind the size that it is told, or changes it.
template <class Struct>
void check_size(std::size_t size, std::string_view what, const std::function<chm_rc(Struct*)>& fill) {
    union {
        Struct whole;
        unsigned char bytes[sizeof(Struct) + 16];
    };
    std::memset(bytes, 0x5a, sizeof bytes);
    whole.size = static_cast<std::uint32_t>(size);
    expect_code(fill(&whole), CHM_READY, what);
    expect_equal(whole.size, size, std::string(what) + ": the caller's size");
    for (std::size_t i = std::min(size, sizeof(Struct)); i < sizeof bytes; ++i)
        expect(bytes[i] == 0x5a, std::string(what) + " must write nothing behind the caller's size");
}

sdk::task<void> sizes_kept(group& g) {
    co_await g.assemble();
    current_waker get;
    const sdk::waker mine = co_await get;
    party& m = g.member(0);
    for (const bool larger : {false, true}) {
        co_await g.member(1).send(0, 1, "x");
        co_await g.member(1).send(0, 1, "y");
        const std::uint64_t proposal = g.member(1).propose("low");
        co_await g.all_hear_of(proposal);
        for (std::size_t i = 0; i < 2; ++i) g.member(i).vote(proposal, true);
        static_cast<void>(co_await m.decision(proposal));
        static_cast<void>(co_await m.receive()); // of two: the other one is there as well
        static_cast<void>(g.member(2).propose("low"));
        co_await g.pass_ms(20);
        const auto size = [&](std::size_t small, std::size_t whole) { return larger ? whole + 8 : small; };
        check_size<chm_message>(size(offsetof(chm_message, sent_ns), sizeof(chm_message)), "poll_receive",
                                [&](auto* out) { return m.vt().poll_receive(m.raw(), mine.get(), out, nullptr); });
        check_size<chm_group_event>(size(offsetof(chm_group_event, action), sizeof(chm_group_event)), "poll_event",
                                    [&](auto* out) { return m.vt().poll_event(m.raw(), mine.get(), out, nullptr); });
        check_size<chm_decision>(
            size(offsetof(chm_decision, certificate), sizeof(chm_decision)), "poll_decision",
            [&](auto* out) { return m.vt().poll_decision(m.raw(), mine.get(), proposal, out, nullptr); });
        check_size<chm_endpoint_stats>(size(offsetof(chm_endpoint_stats, writes), sizeof(chm_endpoint_stats)), "stats",
                                       [&](auto* out) { return m.vt().stats(m.raw(), out), CHM_READY; });
    }
}

template <sdk::task<void> (*Body)(group&)>
void within(environment& env) {
    with_group(env, group_args(env, 3), Body);
}

constexpr test_case cases[] = {
    {"group.order", kind::coordinator, "Messages of one sender on one channel arrive in order, each once", in_order},
    {"group.loses_nothing_at_close", kind::coordinator,
     "What poll_send has taken arrives, although the sender closes at once", within<closes_at_once>},
    {"group.back_pressure", kind::coordinator,
     "At most max_queue messages wait, and a sender is woken when there is room", back_pressure},
    {"group.wakes", kind::coordinator, "A poll that waits keeps the last waker, and wakes it", within<wakers_kept>},
    {"group.no_wake_after_close", kind::coordinator, "After close no waker is woken, and none is kept",
     within<closed_while_waiting>},
    {"group.limits", kind::coordinator, "What is too long, or for nobody, is refused", limits},
    {"size.endpoint", kind::coordinator, "Structs that an endpoint fills are not written behind the caller's size",
     within<sizes_kept>},
};

} // namespace

std::span<const test_case> message_cases() { return cases; }

} // namespace chimera::conformance
