#include "group.hpp"

#include <atomic>
#include <exception>
#include <thread>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/text.hpp"
#include "drawn.hpp"
#include "on_reactor.hpp"

namespace chimera::conformance {

namespace {

constexpr std::size_t key_bytes = 32;

std::string drawn_key(random_source& random) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string key;
    for (std::size_t i = 0; i < 2 * key_bytes; ++i) key += digits[drawn(random, 0, 15)];
    return key;
}

/// The arguments as the contract wants them, with the memory that they show.
class raw_args {
  public:
    raw_args(executor& on, const group_args& a, std::int32_t self, bool reactor) {
        for (const std::string& m : a.members) members_.push_back(sdk::str(m));
        for (const auto& [name, level] : a.actions) actions_.push_back({sdk::str(name), level, 0});
        for (std::size_t i = 0; i < a.keys.size() && i < a.members.size(); ++i)
            if (self == CHM_TO_HUB || i == static_cast<std::size_t>(self))
                keys_ += a.members[i] + " " + a.keys[i] + "\n";
        abi_.size = sizeof abi_;
        abi_.self = self;
        abi_.executor = on.raw();
        abi_.reactor = reactor ? on.reactor() : nullptr;
        abi_.group = sdk::str(a.name);
        abi_.epoch = a.epoch;
        abi_.members = members_.data();
        abi_.n_members = static_cast<std::uint32_t>(members_.size());
        abi_.actions = actions_.empty() ? nullptr : actions_.data();
        abi_.n_actions = static_cast<std::uint32_t>(actions_.size());
        abi_.address = sdk::str(a.address);
        abi_.key = sdk::str(keys_);
        abi_.decision_ns = a.decision_ns;
        abi_.max_message = a.max_message;
        abi_.max_queue = a.max_queue;
    }
    raw_args(const raw_args&) = delete;
    raw_args& operator=(const raw_args&) = delete;
    const chm_endpoint_args* abi() const noexcept { return &abi_; }

  private:
    std::vector<chm_str> members_;
    std::vector<chm_group_action> actions_;
    std::string keys_;
    chm_endpoint_args abi_{};
};

got_message copied(const chm_message& m) { return {m.from, m.to, m.channel, m.seq, std::string(sdk::view(m.body))}; }
got_event copied(const chm_group_event& e) {
    return {e.kind, e.level, e.who, e.proposal, std::string(sdk::view(e.action)), std::string(sdk::view(e.body))};
}

} // namespace

group_args::group_args(environment& env, unsigned n) {
    auto random = env.random();
    for (unsigned i = 0; i < n; ++i) {
        members.push_back("member" + std::to_string(i));
        keys.push_back(drawn_key(random));
    }
    actions = {{"low", CHM_CLASS_LOW}, {"medium", CHM_CLASS_MEDIUM}};
    if (n >= 4) actions.insert(actions.end(), {{"high", CHM_CLASS_HIGH}, {"critical", CHM_CLASS_CRITICAL}});
    address = "127.0.0.1:0";
}

// ---- waits

endpoint_wait::endpoint_wait(ledger& to, chm_reactor* reactor, std::string what, function poll)
    : ledger_(to), reactor_(reactor), what_(std::move(what)), poll_(std::move(poll)),
      until_ns_(sdk::now_ns() + (sanitized ? 100 : 10) * 1'000'000'000ULL) {}

bool endpoint_wait::poll(chm_waker* waker) {
    sdk::error_buffer said;
    const watched_waker mine(waker);
    rc_ = poll_(mine.get(), said.abi());
    expect_a_wake(mine, rc_ == CHM_PENDING, what_.c_str(), ledger_);
    if (rc_ != CHM_PENDING) return true;
    if (reactor_ == nullptr) return false;
    if (!limit_) limit_ = sdk::timer(reactor_);
    in_vain_ = limit_.poll(until_ns_, waker);
    return in_vain_;
}

chm_rc endpoint_wait::await_resume() const {
    if (in_vain_) throw failure(what_ + ": waited in vain");
    return rc_;
}

// ---- an endpoint

party::party(environment& env, executor& on, chm_coordinator* of, const group_args& args, std::int32_t self)
    : ledger_(env.probes()), reactor_(on.reactor()), self_(self) {
    const raw_args raw(on, args, self, true);
    sdk::error_buffer err;
    const chm_rc rc = of->vt->join(of, raw.abi(), &raw_, err.abi());
    if (rc < 0) throw failure("join failed with " + code_name(rc) + ": " + std::string(err.text()));
    expect(raw_ != nullptr && raw_->vt != nullptr && raw_->vt->size >= sizeof(chm_endpoint_vt),
           "an endpoint's table must be whole");
}

chm_rc party::try_join(executor& on, chm_coordinator* of, const group_args& args, std::int32_t self, bool reactor) {
    const raw_args raw(on, args, self, reactor);
    chm_endpoint* made = nullptr;
    sdk::error_buffer err;
    const chm_rc rc = of->vt->join(of, raw.abi(), &made, err.abi());
    expect(rc <= 0, "join must answer with CHM_OK or an error");
    expect((rc == CHM_OK) == (made != nullptr), "join must set *out exactly when it succeeds");
    if (made) made->vt->close(made);
    if (rc < 0) expect(!err.text().empty(), "a join that is refused must say why");
    return rc;
}

void party::close() noexcept {
    if (chm_endpoint* e = std::exchange(raw_, nullptr)) e->vt->close(e);
}

std::string party::named(std::string_view what) const {
    return std::string(what) + " of " + (self_ == CHM_TO_HUB ? "the hub" : "member " + std::to_string(self_));
}

endpoint_wait party::wait(std::string what, endpoint_wait::function poll) const {
    return {ledger_, reactor_, named(what), std::move(poll)};
}

sdk::task<chm_rc> party::try_ready() {
    endpoint_wait answer =
        wait("poll_ready", [raw = raw_](chm_waker* w, chm_error* e) { return raw->vt->poll_ready(raw, w, e); });
    co_return co_await answer;
}
sdk::task<void> party::ready() {
    sdk::error_buffer said;
    endpoint_wait answer =
        wait("poll_ready", [&](chm_waker* w, chm_error*) { return raw_->vt->poll_ready(raw_, w, said.abi()); });
    const chm_rc rc = co_await answer;
    expect_code(rc, CHM_READY, named("poll_ready") + " (" + std::string(said.text()) + ")");
}
std::string party::address() { return std::string(sdk::view(raw_->vt->address(raw_))); }

chm_rc party::send_now(chm_waker* w, std::int32_t to, std::uint32_t channel, std::string_view body) {
    const chm_str part = sdk::str(body);
    return raw_->vt->poll_send(raw_, w, to, channel, &part, 1, nullptr, nullptr);
}
sdk::task<chm_rc> party::try_send(std::int32_t to, std::uint32_t channel, std::string body) {
    endpoint_wait answer = wait("poll_send", [&](chm_waker* w, chm_error*) { return send_now(w, to, channel, body); });
    co_return co_await answer;
}
sdk::task<std::uint64_t> party::send(std::int32_t to, std::uint32_t channel, std::string body) {
    std::uint64_t seq = 0;
    const chm_str part = sdk::str(body);
    sdk::error_buffer said;
    endpoint_wait answer = wait("poll_send", [&](chm_waker* w, chm_error*) {
        return raw_->vt->poll_send(raw_, w, to, channel, &part, 1, &seq, said.abi());
    });
    const chm_rc rc = co_await answer;
    expect_code(rc, CHM_READY, named("poll_send") + " (" + std::string(said.text()) + ")");
    co_return seq;
}
sdk::task<chm_rc> party::try_receive(got_message* out) {
    endpoint_wait answer = wait("poll_receive", [&](chm_waker* w, chm_error* e) {
        chm_message m{};
        m.size = sizeof m;
        const chm_rc rc = raw_->vt->poll_receive(raw_, w, &m, e);
        if (rc == CHM_READY) *out = copied(m);
        return rc;
    });
    co_return co_await answer;
}
sdk::task<got_message> party::receive() {
    got_message m;
    const chm_rc rc = co_await try_receive(&m);
    expect_code(rc, CHM_READY, named("poll_receive"));
    co_return m;
}
sdk::task<chm_rc> party::try_event(got_event* out) {
    endpoint_wait answer = wait("poll_event", [&](chm_waker* w, chm_error* e) {
        chm_group_event m{};
        m.size = sizeof m;
        const chm_rc rc = raw_->vt->poll_event(raw_, w, &m, e);
        if (rc == CHM_READY) *out = copied(m);
        return rc;
    });
    co_return co_await answer;
}
sdk::task<got_event> party::event() {
    got_event e;
    const chm_rc rc = co_await try_event(&e);
    expect_code(rc, CHM_READY, named("poll_event"));
    co_return e;
}
sdk::task<got_event> party::event_of(std::uint32_t kind) {
    for (;;) {
        got_event e = co_await event();
        if (e.kind == kind) co_return e;
    }
}
sdk::task<void> party::hears_of(std::uint32_t kind, std::int32_t who) {
    for (;;) {
        const got_event e = co_await event_of(kind);
        if (e.who == who) co_return;
    }
}

chm_rc party::try_propose(std::string_view action, std::string_view body, std::uint64_t* proposal) {
    return raw_->vt->propose(raw_, sdk::str(action), sdk::str(body), proposal, nullptr);
}
std::uint64_t party::propose(std::string_view action, std::string_view body) {
    std::uint64_t proposal = 0;
    expect_code(try_propose(action, body, &proposal), CHM_OK, named("propose") + ": the result");
    return proposal;
}
chm_rc party::try_vote(std::uint64_t proposal, bool yes) {
    return raw_->vt->vote(raw_, proposal, yes ? 1 : 0, nullptr);
}
void party::vote(std::uint64_t proposal, bool yes) {
    expect_code(try_vote(proposal, yes), CHM_OK, named("vote") + ": the result");
}
sdk::task<got_decision> party::decision(std::uint64_t proposal) {
    got_decision out;
    endpoint_wait answer = wait("poll_decision", [&](chm_waker* w, chm_error* e) {
        chm_decision m{};
        m.size = sizeof m;
        const chm_rc rc = raw_->vt->poll_decision(raw_, w, proposal, &m, e);
        if (rc == CHM_READY) out = {m.outcome, m.yes, m.no, m.phases, m.level, std::string(sdk::view(m.certificate))};
        return rc;
    });
    const chm_rc rc = co_await answer;
    expect_code(rc, CHM_READY, named("poll_decision"));
    co_return out;
}
sdk::task<chm_rc> party::try_barrier(std::string name) {
    endpoint_wait answer = wait(
        "poll_barrier", [&](chm_waker* w, chm_error* e) { return raw_->vt->poll_barrier(raw_, w, sdk::str(name), e); });
    co_return co_await answer;
}
sdk::task<void> party::barrier(std::string name) {
    const chm_rc rc = co_await try_barrier(std::move(name));
    expect_code(rc, CHM_READY, named("poll_barrier"));
}

// ---- a group

sdk::task<void> group::open() {
    hub = std::make_unique<party>(env, on, of, args, CHM_TO_HUB);
    co_await hub->ready();
    args.address = hub->address();
}

party& group::add_member(std::int32_t self) {
    const auto at = static_cast<std::size_t>(self);
    if (members.size() <= at) members.resize(at + 1);
    members[at] = std::make_unique<party>(env, on, of, args, self);
    return *members[at];
}

sdk::task<void> group::assemble() {
    co_await open();
    for (std::size_t i = 0; i < args.members.size(); ++i) {
        party& m = add_member(static_cast<std::int32_t>(i));
        co_await m.ready();
        co_await hub->hears_of(CHM_EVENT_UP, m.number());
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            co_await members[earlier]->hears_of(CHM_EVENT_UP, m.number());
        }
        // Those who were there before, in any order.
        std::size_t missing = i;
        while (missing > 0) {
            const got_event e = co_await m.event_of(CHM_EVENT_UP);
            if (e.who != CHM_TO_HUB) --missing;
        }
    }
}

sdk::task<void> group::pass_ms(unsigned ms) const {
    if (chm_reactor* r = on.reactor()) {
        sdk::timer t(r);
        co_await t.after(ms * 1'000'000ULL);
        co_return;
    }
    const std::uint64_t until = sdk::now_ns() + ms * 1'000'000ULL;
    co_await yield_until([&] { return sdk::now_ns() >= until; }, "time");
}

sdk::task<void> group::all_hear_of(std::uint64_t proposal) const {
    for (const auto& m : members) {
        for (;;) {
            const got_event e = co_await m->event_of(CHM_EVENT_PROPOSAL);
            if (e.proposal == proposal) break;
        }
    }
}

// ---- runs

namespace {

/// Destroyed after the executors of its groups.
class coordinator {
  public:
    explicit coordinator(environment& env) : raw_(env.make_coordinator()) {}
    coordinator(const coordinator&) = delete;
    coordinator& operator=(const coordinator&) = delete;
    ~coordinator() { raw_->vt->destroy(raw_); }
    chm_coordinator* raw() const noexcept { return raw_; }

  private:
    chm_coordinator* raw_;
};

sdk::task<void> one_task(environment& env, executor& on, chm_coordinator* of, const group_args& args,
                         sdk::task<void> (*body)(group&)) {
    group g(env, on, of, args);
    co_await body(g);
}

/// The hub's address, from its thread to the members'.
struct meeting_point {
    std::string address; // written before is_open
    std::atomic<bool> is_open{false};
    std::atomic<unsigned> here{0};
};

sdk::task<void> one_of_many(environment& env, executor& on, chm_coordinator* of, group_args args, std::int32_t self,
                            meeting_point& at, sdk::task<void> (*body)(party&, const group_args&)) {
    const bool is_hub = self == CHM_TO_HUB;
    if (!is_hub) {
        co_await yield_until([&] { return at.is_open.load(); }, "the hub");
        args.address = at.address;
    }
    party me(env, on, of, args, self);
    co_await me.ready();
    if (is_hub) {
        at.address = me.address();
        at.is_open = true;
    }
    std::size_t missing = args.members.size() - (is_hub ? 0 : 1);
    while (missing > 0) {
        const got_event e = co_await me.event_of(CHM_EVENT_UP);
        if (e.who != CHM_TO_HUB) --missing;
    }
    ++at.here;
    co_await yield_until([&] { return at.here.load() == args.members.size() + 1; }, "the others");
    co_await body(me, args);
}

} // namespace

void needs_network(environment& env) {
    if ((coordinator(env).raw()->vt->flags & CHM_COORDINATOR_IN_PROCESS) != 0)
        throw skipped("its groups live within one process, where address and key are ignored");
}

void with_group(environment& env, const group_args& args, sdk::task<void> (*body)(group&)) {
    const coordinator of(env);
    const auto on = env.make_executor_below();
    on->spawn(one_task(env, *on, of.raw(), args, body));
    on->run_until_idle();
}

void with_group_apart(environment& env, const group_args& args, sdk::task<void> (*body)(party&, const group_args&)) {
    const coordinator of(env);
    meeting_point at;
    const std::size_t n = args.members.size() + 1;
    std::vector<std::unique_ptr<executor>> executors;
    while (executors.size() < (env.executors_below_at_once() ? n : 1)) executors.push_back(env.make_executor_below());
    for (std::size_t i = 0; i < n; ++i) {
        executor& on = *executors[i % executors.size()];
        on.spawn(one_of_many(env, on, of.raw(), args, static_cast<std::int32_t>(i) - 1, at, body));
    }
    std::vector<std::jthread> threads;
    for (const auto& e : executors)
        threads.emplace_back([&env, &e] {
            try {
                e->run_until_idle();
            } catch (const failure& x) {
                env.probes().report(x.what());
            }
        });
    threads.clear();
}

} // namespace chimera::conformance
