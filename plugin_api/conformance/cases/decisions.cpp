// Proposals, votes and what becomes of them.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/drawn.hpp"
#include "../kit/environment.hpp"
#include "../kit/group.hpp"

namespace chimera::conformance {

namespace {

/// The first `yes` members vote yes, and the next `no` ones no; the others do not vote. All have heard of it.
void vote(group& g, std::uint64_t proposal, std::size_t yes, std::size_t no) {
    for (std::size_t i = 0; i < yes + no; ++i) {
        const chm_rc rc = g.member(i).try_vote(proposal, i < yes);
        expect(rc == CHM_OK || rc == CHM_E_STATE, "a vote must be taken, or come too late: " + code_name(rc));
    }
}

/// Proposes, votes, and expects this outcome at all members; the one of the proposer.
sdk::task<got_decision> decided(group& g, std::string action, std::size_t yes, std::size_t no, std::uint32_t outcome) {
    const std::uint64_t proposal = g.member(0).propose(action, "body of " + action);
    for (const auto& m : g.members) {
        const got_event e = co_await m->event_of(CHM_EVENT_PROPOSAL);
        expect_equal(e.proposal, proposal, "the number of a proposal");
        expect_equal(e.who, 0, "the proposer");
        expect_equal(e.action, action, "the action");
        expect_equal(e.body, "body of " + action, "the body");
    }
    vote(g, proposal, yes, no);
    got_decision first;
    for (std::size_t i = 0; i < g.members.size(); ++i) {
        const got_decision d = co_await g.member(i).decision(proposal);
        expect_equal(d.outcome, outcome,
                     "the outcome of action " + action + " with " + std::to_string(yes) + " yes and " +
                         std::to_string(no) + " no of " + std::to_string(g.members.size()) + ", at member " +
                         std::to_string(i));
        if (i == 0) first = d;
        const got_decision again = co_await g.member(i).decision(proposal);
        expect(again == d, "a decision must stay as it is");
        expect_code(g.member(i).try_vote(proposal, true), CHM_E_STATE, "a vote after the end");
    }
    co_return first;
}

sdk::task<void> fast(group& g) {
    co_await g.assemble();
    for (int round = 0; round < 3; ++round) {
        for (const auto& [action, yes] : {std::pair{"low", 3U}, {"medium", 3U}}) { // of four
            const got_decision d = co_await decided(g, action, yes, 0, CHM_APPROVED);
            expect_equal(d.phases, 1U, "the number of phases");
            expect_equal(d.yes, yes, "the votes for it");
            expect_equal(d.no, 0U, "the votes against it");
        }
    }
    const got_decision low = co_await decided(g, "low", 3, 1, CHM_APPROVED);
    expect_equal(low.level, std::uint32_t{CHM_CLASS_LOW}, "the class");
    const got_decision medium = co_await decided(g, "medium", 3, 1, CHM_APPROVED);
    expect_equal(medium.level, std::uint32_t{CHM_CLASS_MEDIUM}, "the class");
}

sdk::task<void> signed_votes(group& g) {
    co_await g.assemble();
    for (const auto& [action, level] :
         {std::pair{"high", std::uint32_t{CHM_CLASS_HIGH}}, {"critical", std::uint32_t{CHM_CLASS_CRITICAL}}}) {
        const got_decision d = co_await decided(g, action, 4, 0, CHM_APPROVED);
        expect_equal(d.phases, 2U, "the number of phases of class high and critical");
        expect_equal(d.level, level, "the class");
        expect(!d.certificate.empty(), "an approval in class high and critical must come with its certificate");
        expect(d.yes >= 3, "three of four must have voted yes");
    }
}

sdk::task<void> rejected(group& g) {
    co_await g.assemble();
    for (const auto& [action, no] : {std::pair{"low", 2U}, {"medium", 2U}, {"high", 2U}, {"critical", 2U}}) {
        const got_decision d = co_await decided(g, action, 0, no, CHM_REJECTED); // the others need not vote
        expect_equal(d.no, no, "the votes against it");
    }
}

sdk::task<void> certain_early(group& g) {
    co_await g.assemble();
    const std::uint64_t begin = sdk::now_ns();
    for (const char* action : {"low", "medium", "high", "critical"}) {
        const got_decision d = co_await decided(g, action, 3, 0, CHM_APPROVED);
        expect_equal(d.yes, 3U, "the votes for it");
    }
    expect(sdk::now_ns() - begin < 5'000'000'000ULL, "a decision that is certain must not wait for other votes");
}

/// Looks for a while at a proposal that cannot end before its time.
sdk::task<void> expect_open(group& g, std::uint64_t proposal, std::string_view why) {
    current_waker get;
    const sdk::waker mine = co_await get;
    co_await g.pass_ms(50);
    for (const auto& m : g.members) {
        chm_decision out{};
        out.size = sizeof out;
        expect_code(m->vt().poll_decision(m->raw(), mine.get(), proposal, &out, nullptr), CHM_PENDING,
                    "poll_decision with " + std::string(why));
    }
}

sdk::task<void> counts_members(group& g) {
    co_await g.assemble();
    // Two of four are half of the group, and all of those who vote.
    for (const char* action : {"low", "medium", "high", "critical"}) {
        const std::uint64_t proposal = g.member(0).propose(action);
        co_await g.all_hear_of(proposal);
        vote(g, proposal, 2, 0);
        co_await expect_open(g, proposal, "two of four votes");
    }
    // One who leaves still belongs to the group.
    const std::uint64_t proposal = g.member(0).propose("low");
    co_await g.all_hear_of(proposal);
    g.member(3).close();
    co_await g.hub->hears_of(CHM_EVENT_DOWN, 3);
    g.members.pop_back();
    vote(g, proposal, 2, 0);
    co_await expect_open(g, proposal, "two of four votes, and a member gone");
    g.member(2).vote(proposal, true);
    const got_decision d = co_await g.member(0).decision(proposal);
    expect_equal(d.outcome, std::uint32_t{CHM_APPROVED}, "the outcome with three of four votes");
}

sdk::task<void> aborted(group& g) {
    co_await g.assemble();
    for (const char* action : {"low", "critical"}) {
        const std::uint64_t begin = sdk::now_ns();
        const std::uint64_t proposal = g.member(0).propose(action);
        co_await g.all_hear_of(proposal);
        vote(g, proposal, 2, 0);
        for (const auto& m : g.members) {
            const got_decision d = co_await m->decision(proposal);
            expect_equal(d.outcome, std::uint32_t{CHM_ABORTED}, "the outcome without enough votes in time");
        }
        const std::uint64_t took = sdk::now_ns() - begin;
        expect(took >= g.args.decision_ns / 2, "a proposal must not be aborted before its time");
        expect(took < g.args.decision_ns + (sanitized ? 20 : 2) * 1'000'000'000ULL,
               "a proposal must end within its time limit");
        for (const std::size_t late : {2, 3})
            expect_code(g.member(late).try_vote(proposal, true), CHM_E_STATE, "a vote after the end");
        co_await g.pass_ms(50);
        for (const auto& m : g.members) {
            const got_decision d = co_await m->decision(proposal);
            expect_equal(d.outcome, std::uint32_t{CHM_ABORTED}, "the outcome after a late vote");
        }
    }
}

sdk::task<void> double_vote(group& g) {
    co_await g.assemble();
    for (const char* action : {"low", "critical"}) {
        const std::uint64_t proposal = g.member(0).propose(action);
        co_await g.all_hear_of(proposal);
        g.member(1).vote(proposal, true);
        for (const bool yes : {true, false, true})
            expect_code(g.member(1).try_vote(proposal, yes), CHM_E_STATE, "a second vote");
        g.member(2).vote(proposal, true);
        co_await expect_open(g, proposal, "two votes, one of them tried four times");
        g.member(3).vote(proposal, false);
        g.member(0).vote(proposal, true);
        const got_decision d = co_await g.member(0).decision(proposal);
        expect_equal(d.outcome, std::uint32_t{CHM_APPROVED}, "the outcome with three of four votes");
    }
}

sdk::task<void> unknown_action(group& g) {
    co_await g.assemble();
    if (g.members.size() < 4) {
        std::uint64_t proposal = 0;
        expect_code(g.member(0).try_propose("launch", "", &proposal), CHM_E_STATE,
                    "propose of an unknown action in a group of three");
        co_return;
    }
    for (const char* unknown : {"launch", "LOW", "low ", ""}) {
        const std::string action = unknown;
        const got_decision d = co_await decided(g, action, 3, 0, CHM_APPROVED);
        expect_equal(d.level, std::uint32_t{CHM_CLASS_CRITICAL}, "the class of the unknown action '" + action + "'");
        expect_equal(d.phases, 2U, "the number of phases of an unknown action");
    }
}

void unknown_is_critical(environment& env) {
    for (const unsigned members : {3U, 4U}) with_group(env, group_args(env, members), unknown_action);
}

constexpr const char* actions[] = {"low", "medium", "high", "critical", "unheard-of"};

/// Proposes and votes at random, until each proposal has ended; then says to the hub what it saw, which compares.
sdk::task<void> proposes_and_votes(party& me, const group_args& args) {
    const auto n = static_cast<std::int32_t>(args.members.size());
    constexpr unsigned each = 12;
    if (me.number() == CHM_TO_HUB) {
        std::map<std::string, std::string> outcomes;
        for (std::int32_t i = 0; i < n * n * static_cast<std::int32_t>(each); ++i) {
            const got_message m = co_await me.receive();
            const std::size_t blank = m.body.find(' ');
            const std::string number = m.body.substr(0, blank), outcome = m.body.substr(blank + 1);
            const auto [known, first] = outcomes.emplace(number, outcome);
            expect_equal(outcome, known->second, "the outcome at another member, of a proposal that nobody aborted");
        }
        expect_equal(outcomes.size(), static_cast<std::size_t>(n) * each, "the number of proposals");
        co_return;
    }
    random_source random(static_cast<unsigned>(me.number()) + 1);
    std::vector<std::uint64_t> seen;
    for (unsigned i = 0; i < each; ++i) static_cast<void>(me.propose(actions[drawn(random, 0, 4)], "x"));
    while (seen.size() < static_cast<std::size_t>(n) * each) {
        const got_event e = co_await me.event_of(CHM_EVENT_PROPOSAL);
        expect(std::find(seen.begin(), seen.end(), e.proposal) == seen.end(), "a proposal's number must be its own");
        seen.push_back(e.proposal);
        const chm_rc rc = me.try_vote(e.proposal, drawn(random, 0, 99) < 70);
        expect(rc == CHM_OK || rc == CHM_E_STATE, "a vote must be taken, or come too late: " + code_name(rc));
    }
    for (const std::uint64_t proposal : seen) {
        const got_decision d = co_await me.decision(proposal);
        expect(d.outcome == CHM_APPROVED || d.outcome == CHM_REJECTED, "with all votes there is an outcome");
        co_await me.send(CHM_TO_HUB, 1, std::to_string(proposal) + " " + std::to_string(d.outcome));
    }
    got_message end; // stays until the hub has everything: a vote may be asked for until then
    const chm_rc rc = co_await me.try_receive(&end);
    expect_code(rc, CHM_END, "poll_receive after the hub has closed");
}

void agrees(environment& env) {
    group_args args(env, 5);
    args.decision_ns = 60'000'000'000;
    with_group_apart(env, args, proposes_and_votes);
}

template <sdk::task<void> (*Body)(group&), std::uint64_t LimitMs = 0>
void among_four(environment& env) {
    group_args args(env, 4);
    args.decision_ns = LimitMs * 1'000'000;
    with_group(env, args, Body);
}

constexpr test_case cases[] = {
    {"decision.fast", kind::coordinator, "Class low and medium are decided in one phase", among_four<fast>},
    {"decision.signed", kind::coordinator, "Class high and critical are decided in two phases, with a certificate",
     among_four<signed_votes>},
    {"decision.rejected", kind::coordinator, "A proposal that cannot be approved any more is rejected",
     among_four<rejected>},
    {"decision.certain_early", kind::coordinator, "A decision that is certain does not wait for other votes",
     among_four<certain_early>},
    {"decision.counts_members", kind::coordinator, "The members of the group are counted, not the votes that came",
     among_four<counts_members>},
    {"decision.aborted", kind::coordinator, "Without enough votes a proposal ends at its time limit, for good",
     among_four<aborted, 400>},
    {"decision.double_vote", kind::coordinator, "A member's second vote is refused and not counted",
     among_four<double_vote>},
    {"decision.unknown_action_is_critical", kind::coordinator, "An action that the group does not know is critical",
     unknown_is_critical},
    {"decision.agrees", kind::coordinator, "Whoever proposes and votes, all members see the same outcomes", agrees},
};

} // namespace

std::span<const test_case> decision_cases() { return cases; }

} // namespace chimera::conformance
