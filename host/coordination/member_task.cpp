#include "coordination/activity.hpp"
#include "coordination/join_group.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/endpoint.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <stdexcept>

namespace chimera::host {
namespace {

constexpr std::uint32_t work_channel = 1;
constexpr std::size_t proposal_bytes = 32; // a digest, of what is decided

double us_since(std::uint64_t begin) noexcept { return static_cast<double>(sdk::now_ns() - begin) / 1e3; }

/// One member, from its first join to its last cycle.
class member_work {
  public:
    member_work(const group_environment& env, std::int32_t number, endpoint_record& out, recorder& log)
        : env_(env), spec_(env.what.workload.coordination), number_(number), out_(out), log_(log),
          body_(static_cast<std::size_t>(spec_.message_bytes), 'm') {
        const auto members = static_cast<int>(env.group.members());
        // Decision d of a cycle is member d % members' to propose.
        int d = 0;
        for (std::size_t c = 0; c < decision_classes; ++c)
            for (int i = 0; i < spec_.decisions[c]; ++i, ++d)
                if (d % members == number) shares_.push_back(static_cast<decision_class>(c));
        if (spec_.straggler_ms > 0 && number == members - 1)
            lateness_ns_ = static_cast<std::uint64_t>(spec_.straggler_ms * 1e6);
    }

    sdk::task<void> run() {
        for (;;) {
            auto joining = join();
            co_await joining;
            bool hub_lost = false;
            try {
                auto cycling = cycles();
                co_await cycling;
            } catch (const sdk::error& e) {
                if (e.code() != CHM_E_CLOSED || !env_.group.is_split()) throw;
                hub_lost = true;
            }
            stop_measuring();
            endpoint_.reset();
            if (!hub_lost) co_return;
        }
    }

  private:
    sdk::task<void> join() {
        auto joining = join_group(env_, number_);
        endpoint_ = co_await joining;
        ++out_.joins;
        votes_.clear();
        auto gathering = gather();
        co_await gathering;
    }

    /// Waits for the others.
    sdk::task<void> gather() {
        std::size_t missing = env_.group.members(); // the other members, and the hub
        const std::uint64_t gives_up = sdk::now_ns() + group_patience_ns;
        while (missing > 0) {
            activity next(*endpoint_, env_.thinking, {.until_ns = due(gives_up)});
            const happening what = co_await next;
            if (what == happening::ended) throw sdk::error(CHM_E_CLOSED, "the hub has closed the group");
            if (what == happening::due && sdk::now_ns() >= gives_up)
                throw std::runtime_error(fmt::format("{} of the group's members did not come within {} s", missing,
                                                     group_patience_ns / 1'000'000'000));
            if (what == happening::event && next.event.kind == CHM_EVENT_UP) --missing;
            if (what == happening::event && next.event.kind == CHM_EVENT_DOWN) ++missing;
            take(what, next);
        }
    }

    sdk::task<void> cycles() {
        begin_ = endpoint_->stats();
        polls_before_ = log_.record().in_polls;
        measuring_ = true;
        if (out_.begin == 0) out_.begin = sdk::now_ns();
        while (out_.cycles_ms.size() < static_cast<std::size_t>(spec_.cycles)) {
            const std::uint64_t begin = sdk::now_ns();
            auto talking = messages();
            co_await talking;
            const double talked = us_since(begin);
            auto deciding = decisions();
            co_await deciding;
            const double all = us_since(begin);
            out_.messages_ms += talked / 1e3;
            out_.decisions_ms += (all - talked) / 1e3;
            out_.cycles_ms.push_back(all / 1e3);
            out_.end = sdk::now_ns();
        }
        stop_measuring();
        // The others may still need this member's votes.
        for (;;) {
            activity next(*endpoint_, env_.thinking, {.barrier = "end", .until_ns = due(UINT64_MAX)});
            const happening what = co_await next;
            if (what == happening::barrier || what == happening::ended) co_return;
            take(what, next);
        }
    }

    sdk::task<void> messages() {
        int sent = 0, answered = 0;
        sent_at_.clear();
        while (answered < spec_.messages) {
            while (sent < spec_.messages && sent - answered < spec_.in_flight) {
                auto sending = endpoint_->send(CHM_TO_HUB, work_channel, body_);
                sent_at_.push_back(sdk::now_ns());
                co_await sending;
                ++sent;
            }
            activity next(*endpoint_, env_.thinking, {.until_ns = due(UINT64_MAX)});
            const happening what = co_await next;
            if (what == happening::ended) throw sdk::error(CHM_E_CLOSED, "the hub has closed the group");
            if (what == happening::message) {
                out_.round_trips_us.push_back(us_since(sent_at_.front()));
                sent_at_.pop_front();
                ++answered;
            }
            take(what, next);
        }
    }

    sdk::task<void> decisions() {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> open; // number and time
        for (const decision_class c : shares_) {
            const std::uint64_t now = sdk::now_ns();
            open.emplace_back(endpoint_->propose(action_of(c), std::string_view(body_).substr(0, proposal_bytes)), now);
        }
        for (std::size_t i = 0; i < open.size();) {
            activity next(*endpoint_, env_.thinking, {.proposal = open[i].first, .until_ns = due(UINT64_MAX)});
            const happening what = co_await next;
            if (what == happening::ended) throw sdk::error(CHM_E_CLOSED, "the hub has closed the group");
            if (what == happening::decision) {
                out_.decisions.push_back({next.decision.level, next.decision.outcome, us_since(open[i].second)});
                ++i;
            }
            take(what, next);
        }
    }

    /// Votes, whatever the member waits for.
    void take(happening what, const activity& next) {
        if (what == happening::event && next.event.kind == CHM_EVENT_PROPOSAL) {
            if (lateness_ns_ == 0)
                vote(next.event.proposal);
            else
                votes_.emplace_back(sdk::now_ns() + lateness_ns_, next.event.proposal);
        }
        if (what == happening::event && next.event.kind == CHM_EVENT_EQUIVOCATION) ++out_.equivocations;
        while (!votes_.empty() && votes_.front().first <= sdk::now_ns()) {
            vote(votes_.front().second);
            votes_.pop_front();
        }
    }
    void vote(std::uint64_t proposal) {
        try {
            endpoint_->vote(proposal, true);
        } catch (const sdk::error& e) {
            if (e.code() != CHM_E_INVAL) throw; // it has ended so long ago that it is forgotten
        }
    }
    /// The next moment at which this member has to do something.
    std::uint64_t due(std::uint64_t other) const noexcept {
        return votes_.empty() ? other : std::min(other, votes_.front().first);
    }

    void stop_measuring() {
        if (!measuring_) return;
        measuring_ = false;
        out_.work += work_between(begin_, endpoint_->stats(), log_.record().in_polls - polls_before_);
    }

    const group_environment& env_;
    const coordination_spec& spec_;
    const std::int32_t number_;
    endpoint_record& out_;
    recorder& log_;
    const std::string body_;
    std::vector<decision_class> shares_;
    std::uint64_t lateness_ns_ = 0;
    std::unique_ptr<sdk::endpoint> endpoint_;
    std::deque<std::uint64_t> sent_at_;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> votes_; // when, for which proposal
    chm_endpoint_stats begin_{};
    std::uint64_t polls_before_ = 0;
    bool measuring_ = false;
};

} // namespace

sdk::task<void> run_member(const group_environment& env, std::int32_t number, endpoint_record& out, recorder& log) {
    out.name = env.what.workload.agents.at(static_cast<std::size_t>(number)).id;
    log.starts();
    log.stage(agent_stage::coordinating);
    try {
        member_work work(env, number, out, log);
        auto running = work.run();
        co_await running;
    } catch (const std::exception& e) {
        log.record().error = e.what();
    }
    log.ends();
}

} // namespace chimera::host
