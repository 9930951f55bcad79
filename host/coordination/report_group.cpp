#include "coordination/report_group.hpp"

#include "coordination/activity.hpp"
#include "coordination/join_group.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace chimera::host {
namespace {

constexpr std::uint32_t report_channel = 1;
std::string_view word_of(std::uint32_t outcome) noexcept {
    return outcome == CHM_APPROVED ? "approved" : outcome == CHM_REJECTED ? "rejected" : "not decided in time";
}

} // namespace

/// One agent's part of it.
class report_group::meeting {
  public:
    meeting(report_group& of, std::size_t agent, std::string report, recorder& log)
        : env_(of.env_), number_(static_cast<std::int32_t>(agent)), log_(log), out_(of.records_.at(agent)),
          reports_(of.env_.group.members()), present_(of.env_.group.members()) {
        reports_[agent] = std::move(report);
        present_[agent] = true;
        out_.name = env_.what.workload.agents.at(agent).id;
    }

    sdk::task<std::string> hold() {
        auto joining = join_group(env_, number_);
        endpoint_ = co_await joining;
        ++out_.joins;
        const std::uint64_t came = sdk::now_ns();
        auto gathering = gather();
        co_await gathering;
        log_.record().awaiting = sdk::now_ns() - came;
        auto sharing = share();
        co_await sharing;
        auto deciding = decide();
        const chm_decision end = co_await deciding;
        auto parting = part();
        co_await parting;
        co_return fmt::format("Merged report of {} agents: {}, {} of {} votes for it.",
                              std::ranges::count(present_, true), word_of(end.outcome), end.yes, env_.group.members());
    }

  private:
    /// Every agent that will come has come.
    bool is_complete() const {
        for (std::size_t i = 0; i < present_.size(); ++i)
            if (!present_[i] && !env_.absent.has(i)) return false;
        return hub_;
    }
    void take(happening what, const activity& next) {
        if (what == happening::ended) throw sdk::error(CHM_E_CLOSED, "the hub has closed the group");
        if (what == happening::message && next.message.from != CHM_TO_HUB)
            reports_.at(static_cast<std::size_t>(next.message.from)) = sdk::view(next.message.body);
        if (what != happening::event) return;
        const bool up = next.event.kind == CHM_EVENT_UP;
        if (up || next.event.kind == CHM_EVENT_DOWN) {
            if (next.event.who == CHM_TO_HUB)
                hub_ = up;
            else
                present_.at(static_cast<std::size_t>(next.event.who)) = up;
        } else if (next.event.kind == CHM_EVENT_PROPOSAL) {
            proposal_ = next.event.proposal;
            endpoint_->vote(proposal_, sdk::view(next.event.body) == digest_of_merged());
        } else if (next.event.kind == CHM_EVENT_EQUIVOCATION) {
            ++out_.equivocations;
        }
    }
    std::string merged() const {
        std::string all;
        for (std::size_t i = 0; i < reports_.size(); ++i)
            if (!reports_[i].empty())
                all += fmt::format("# {}\n\n{}\n\n", env_.what.workload.agents.at(i).label, reports_[i]);
        return all;
    }

    std::string digest_of_merged() const { return fmt::format("{:016x}", fnv1a(merged())); }

    sdk::task<void> gather() {
        while (!is_complete()) {
            activity next(*endpoint_, env_.thinking, {.until_ns = sdk::now_ns() + look_for_absent_ns});
            const happening what = co_await next;
            take(what, next);
        }
    }
    sdk::task<void> share() {
        const std::string own = reports_[static_cast<std::size_t>(number_)];
        auto sending = endpoint_->send(CHM_TO_ALL, report_channel, own);
        co_await sending;
        const auto all_there = [this] {
            for (std::size_t i = 0; i < reports_.size(); ++i)
                if (present_[i] && reports_[i].empty()) return false;
            return true;
        };
        while (!all_there()) {
            activity next(*endpoint_, env_.thinking, {});
            const happening what = co_await next;
            take(what, next);
        }
        // Nobody proposes before everybody can judge.
        auto waiting = meet("shared");
        co_await waiting;
    }
    /// The present agent with the least number proposes.
    sdk::task<chm_decision> decide() {
        const std::uint64_t begin = sdk::now_ns();
        bool mine = false;
        for (;;) {
            // Again, because the one before may have gone without a word.
            if (proposal_ == 0 && std::ranges::find(present_, true) - present_.begin() == number_) {
                proposal_ =
                    endpoint_->propose(action_of(env_.what.workload.coordination.report_class), digest_of_merged());
                mine = true;
            }
            activity next(*endpoint_, env_.thinking, {.proposal = proposal_});
            const happening what = co_await next;
            if (what == happening::decision) {
                chm_decision end = next.decision;
                end.certificate = {};
                const double us = static_cast<double>(sdk::now_ns() - begin) / 1e3;
                if (mine) out_.decisions.push_back({end.level, end.outcome, us});
                co_return end;
            }
            take(what, next);
        }
    }
    sdk::task<void> part() {
        auto waiting = meet("end");
        co_await waiting;
    }
    sdk::task<void> meet(std::string_view name) {
        for (;;) {
            activity next(*endpoint_, env_.thinking, {.barrier = name});
            const happening what = co_await next;
            if (what == happening::barrier) co_return;
            take(what, next);
        }
    }

    const group_environment& env_;
    const std::int32_t number_;
    recorder& log_;
    endpoint_record& out_;
    std::vector<std::string> reports_; ///< by agent; empty: not here yet
    std::vector<bool> present_;
    bool hub_ = false;
    std::uint64_t proposal_ = 0;
    std::unique_ptr<sdk::endpoint> endpoint_;
};

sdk::task<std::string> report_group::agree(std::size_t agent, std::string report, recorder& log) {
    const std::uint64_t begin = sdk::now_ns();
    log.stage(agent_stage::coordinating);
    meeting mine(*this, agent, std::move(report), log);
    auto holding = mine.hold();
    std::string said = co_await holding;
    log.record().coordinating = sdk::now_ns() - begin;
    log.stage(agent_stage::between_calls);
    co_return said;
}

} // namespace chimera::host
