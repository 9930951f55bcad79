#include "coordination/activity.hpp"
#include "coordination/group_tasks.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/endpoint.hpp>
#include <chimera/sdk/text.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace chimera::host {

void hub_address::publish(std::string_view address, std::string_view why) {
    std::vector<sdk::waker> woken;
    {
        const std::lock_guard lock(mutex_);
        if (is_known_) return;
        is_known_ = true;
        address_ = address;
        why_ = why;
        woken.swap(waiting_);
    }
    for (sdk::waker& w : woken) w.wake();
}

bool hub_address::known::poll(chm_waker* waker) {
    const std::lock_guard lock(of_.mutex_);
    if (!of_.is_known_) of_.waiting_.push_back(sdk::waker::clone(waker));
    return of_.is_known_;
}

std::string hub_address::known::await_resume() const {
    const std::lock_guard lock(of_.mutex_);
    if (!of_.why_.empty()) throw std::runtime_error("the hub did not start: " + of_.why_);
    return of_.address_;
}

namespace {

/// What the hub counts of the messages that it answers, as the reported system did.
struct message_statistics {
    std::uint64_t messages = 0, bytes = 0, checksum = 0;

    void add(std::string_view body) noexcept {
        ++messages;
        bytes += body.size();
        std::uint64_t word = 0;
        for (std::size_t i = 0; i + sizeof word <= body.size(); i += sizeof word) {
            std::memcpy(&word, body.data() + i, sizeof word);
            checksum = (checksum ^ word) * 0x100000001b3;
        }
    }
};

/// Who is here, and whether the hub's work is over: everybody has come, and everybody has gone.
class attendance {
  public:
    explicit attendance(std::size_t members) : has_come_(members) {}
    void take(const chm_group_event& e) {
        if (e.kind != CHM_EVENT_UP && e.kind != CHM_EVENT_DOWN) return;
        const bool up = e.kind == CHM_EVENT_UP;
        if (up) has_come_[static_cast<std::size_t>(e.who)] = true;
        up ? ++here_ : --here_;
    }
    bool all_are_here() const noexcept { return here_ == static_cast<std::ptrdiff_t>(has_come_.size()); }
    bool is_over(const absent_agents& absent) const {
        for (std::size_t i = 0; i < has_come_.size(); ++i)
            if (!has_come_[i] && !absent.has(i)) return false;
        return here_ == 0;
    }

  private:
    std::vector<bool> has_come_;
    std::ptrdiff_t here_ = 0;
};

sdk::task<void> serve(const group_environment& env, endpoint_record& out, recorder& log) {
    chm_endpoint_args args = env.group.args_for(CHM_TO_HUB);
    args.executor = env.executor;
    args.reactor = env.reactor;
    args.address = sdk::str(env.what.workload.coordination.address);
    sdk::endpoint hub(env.coordinator, args);
    auto listening = hub.ready();
    co_await listening;
    env.address.publish(hub.address());

    const std::string answer(static_cast<std::size_t>(env.what.workload.coordination.answer_bytes), 'a');
    message_statistics seen;
    attendance members(env.group.members());
    chm_endpoint_stats begin = hub.stats();
    std::uint64_t polls_before = 0;
    bool measuring = false;
    const auto stop = [&] {
        if (std::exchange(measuring, false))
            out.work += work_between(begin, hub.stats(), log.record().in_polls - polls_before);
    };
    while (!members.is_over(env.absent)) {
        activity next(hub, env.thinking, {.until_ns = sdk::now_ns() + look_for_absent_ns});
        const happening what = co_await next;
        if (what == happening::ended) break;
        if (what == happening::due) continue;
        if (what == happening::message) {
            seen.add(sdk::view(next.message.body));
            if (next.message.to == CHM_TO_ALL) continue; // not a question
            const std::int32_t from = next.message.from;
            const std::uint32_t channel = next.message.channel;
            auto sending = hub.send(from, channel, answer);
            try {
                co_await sending;
            } catch (const sdk::error& e) {
                if (e.code() != CHM_E_CLOSED) throw; // closed: the member went before its answer
            }
            continue;
        }
        members.take(next.event);
        if (next.event.kind == CHM_EVENT_EQUIVOCATION) ++out.equivocations;
        if (members.all_are_here() && !measuring) {
            begin = hub.stats();
            polls_before = log.record().in_polls;
            measuring = true;
        } else if (next.event.kind == CHM_EVENT_DOWN) {
            stop();
        }
    }
    stop();
}

} // namespace

sdk::task<void> run_hub(const group_environment& env, endpoint_record& out, recorder& log) {
    out.name = "hub";
    log.starts();
    log.stage(agent_stage::coordinating);
    try {
        auto serving = serve(env, out, log);
        co_await serving;
    } catch (const std::exception& e) {
        out.error = e.what();
        env.address.publish({}, out.error);
    }
    log.ends();
}

} // namespace chimera::host
