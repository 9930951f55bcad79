// A group of the coordinator under test: its endpoints, and waits on them that give up.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/sdk/reactor.hpp"
#include "chimera/sdk/task.hpp"
#include "environment.hpp"

namespace chimera::conformance {

/// The arguments that all endpoints of a group share.
struct group_args {
    /// With a key for each member, and the actions "low", "medium" and, from four members on, "high" and "critical".
    group_args(environment&, unsigned members);

    std::string name = "kit";
    std::uint64_t epoch = 7;
    std::vector<std::string> members;
    std::vector<std::pair<std::string, std::uint32_t>> actions;
    std::string address; ///< the hub's
    std::vector<std::string> keys;
    std::uint64_t decision_ns = 0;
    std::uint32_t max_message = 0, max_queue = 0;
};

/// What an endpoint has given out, copied.
struct got_message {
    std::int32_t from = 0, to = 0;
    std::uint32_t channel = 0;
    std::uint64_t seq = 0;
    std::string body;
};
struct got_event {
    std::uint32_t kind = 0, level = 0;
    std::int32_t who = 0;
    std::uint64_t proposal = 0;
    std::string action, body;
};
struct got_decision {
    std::uint32_t outcome = 0, yes = 0, no = 0, phases = 0, level = 0;
    std::string certificate;
    bool operator==(const got_decision&) const = default;
};

/// A wait for one poll of an endpoint, of at most ten seconds (a hundred under a sanitizer). The executor's own thread.
class endpoint_wait final : public sdk::awaitable {
  public:
    using function = std::function<chm_rc(chm_waker*, chm_error*)>;
    /// reactor: for the limit; NULL: there is none. what: for the report of a wait in vain.
    endpoint_wait(ledger& to, chm_reactor* reactor, std::string what, function poll);
    bool poll(chm_waker*) override;
    /// What the poll answered; not CHM_PENDING. Throws failure after the limit.
    chm_rc await_resume() const;

  private:
    ledger& ledger_;
    chm_reactor* const reactor_;
    const std::string what_;
    const function poll_;
    sdk::timer limit_;
    std::uint64_t until_ns_;
    chm_rc rc_ = CHM_PENDING;
    bool in_vain_ = false;
};

/// A hub or a member. Polls that answer 0 and keep no waker are reported. Tasks without a chm_rc expect success, and
/// throw failure. Used by one task.
class party {
  public:
    /// Joins. Throws failure when that is refused.
    party(environment&, executor& on, chm_coordinator*, const group_args&, std::int32_t self);
    party(const party&) = delete;
    party& operator=(const party&) = delete;
    ~party() { close(); }

    /// The result of a join that is expected to fail; one that succeeds is closed again.
    static chm_rc try_join(executor& on, chm_coordinator*, const group_args&, std::int32_t self, bool reactor = true);

    std::int32_t number() const noexcept { return self_; }
    chm_endpoint* raw() const noexcept { return raw_; }
    const chm_endpoint_vt& vt() const noexcept { return *raw_->vt; }
    /// Idempotent.
    void close() noexcept;

    sdk::task<chm_rc> try_ready();
    sdk::task<void> ready();
    std::string address();

    /// The number of the message.
    sdk::task<std::uint64_t> send(std::int32_t to, std::uint32_t channel, std::string body);
    /// The answer when there is one.
    sdk::task<chm_rc> try_send(std::int32_t to, std::uint32_t channel, std::string body);
    /// One poll, which keeps this waker if it is pending.
    chm_rc send_now(chm_waker*, std::int32_t to, std::uint32_t channel, std::string_view body);
    sdk::task<got_message> receive();
    /// CHM_READY with *out, CHM_END or an error.
    sdk::task<chm_rc> try_receive(got_message* out);
    sdk::task<got_event> event();
    sdk::task<chm_rc> try_event(got_event* out);
    /// The next event of this kind. Others are skipped.
    sdk::task<got_event> event_of(std::uint32_t kind);
    /// Skips events until `who` has come up or gone down.
    sdk::task<void> hears_of(std::uint32_t kind, std::int32_t who);

    std::uint64_t propose(std::string_view action, std::string_view body = {});
    chm_rc try_propose(std::string_view action, std::string_view body, std::uint64_t* proposal);
    chm_rc try_vote(std::uint64_t proposal, bool yes);
    void vote(std::uint64_t proposal, bool yes);
    sdk::task<got_decision> decision(std::uint64_t proposal);
    sdk::task<chm_rc> try_barrier(std::string name);
    sdk::task<void> barrier(std::string name);

  private:
    endpoint_wait wait(std::string what, endpoint_wait::function) const;
    std::string named(std::string_view what) const;

    ledger& ledger_;
    chm_reactor* const reactor_;
    const std::int32_t self_;
    chm_endpoint* raw_ = nullptr;
};

/// A hub and its members in one task.
class group {
  public:
    group(environment& e, executor& o, chm_coordinator* c, group_args a) : env(e), on(o), of(c), args(std::move(a)) {}

    environment& env;
    executor& on;
    chm_coordinator* const of;
    group_args args;
    std::unique_ptr<party> hub;
    std::vector<std::unique_ptr<party>> members; ///< by number

    bool in_process() const noexcept { return (of->vt->flags & CHM_COORDINATOR_IN_PROCESS) != 0; }
    /// The hub listens, all members are in, and each endpoint has heard of every other.
    sdk::task<void> assemble();
    /// The hub listens.
    sdk::task<void> open();
    /// Joins, and does not wait for anything.
    party& add_member(std::int32_t self);
    party& member(std::size_t i) const { return *members.at(i); }
    /// The other members' tasks and the network have some time.
    sdk::task<void> pass_ms(unsigned ms) const;
    /// Every member is told of the proposal. Its other events are skipped.
    sdk::task<void> all_hear_of(std::uint64_t proposal) const;
};

/// Throws skipped where groups live within one process.
void needs_network(environment&);

/// Runs the coroutine as the only task of an executor. It gets a group that has nobody in it.
void with_group(environment&, const group_args&, sdk::task<void> (*body)(group&));

/// Runs the coroutine once for each endpoint, the hub and the members, each on an executor and a thread of its own
/// (where there may be several executors), after they have heard of each other.
void with_group_apart(environment&, const group_args&, sdk::task<void> (*body)(party& me, const group_args&));

} // namespace chimera::conformance
