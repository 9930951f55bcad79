// Groups on several threads: endpoints on a pool whose workers steal, and each on an executor of its own. For
// ThreadSanitizer, and for what only threads show: lost wakes, and something left behind.
#include <chimera/abi.h>
#include <chimera/sdk/endpoint.hpp>
#include <chimera/sdk/reactor.hpp>
#include <chimera/sdk/task.hpp>

#include <doctest/doctest.h>

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/kit/census.hpp"

using namespace chimera;

namespace {

constexpr int members = 4, messages = 200, proposals_each = 4;

const chm_plugin_entry& plugin(const std::string& name) {
    static std::map<std::string, const chm_plugin_entry*> loaded;
    const chm_plugin_entry*& entry = loaded[name];
    if (entry != nullptr) return *entry;
    void* const library = dlopen((CHIMERA_PLUGIN_DIR "/" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library != nullptr, dlerror());
    entry = static_cast<const chm_plugin_entry*>(dlsym(library, CHM_ENTRY_SYMBOL));
    sdk::error_buffer why;
    if (entry->init != nullptr) why.check(entry->init(nullptr, why.abi()));
    return *entry;
}

template <class Instance, class Factory>
Instance* make(const std::string& name, const char* id, const char* key = nullptr, const char* value = nullptr) {
    const chm_kv kv{sdk::str(key != nullptr ? key : ""), sdk::str(value != nullptr ? value : "")};
    const chm_config config{&kv, key != nullptr ? 1U : 0U};
    Instance* made = nullptr;
    sdk::error_buffer why;
    why.check(static_cast<const Factory*>(plugin(name).get_factory(id))->create(nullptr, &config, &made, why.abi()));
    return made;
}

/// The hub's address, once it is known.
struct published {
    std::mutex mutex;
    std::string address;
    bool known = false;
};

struct shared {
    chm_coordinator* coordinator;
    published hub;
    std::atomic<int> received{0}, approved{0}, failures{0};
};

chm_endpoint_args args_for(std::int32_t self, chm_executor* e, const std::string& address) {
    static const chm_str names[] = {sdk::str("a"), sdk::str("b"), sdk::str("c"), sdk::str("d")};
    static const chm_group_action actions[] = {{sdk::str("low"), CHM_CLASS_LOW, 0},
                                               {sdk::str("high"), CHM_CLASS_HIGH, 0}};
    chm_endpoint_args args{};
    args.size = sizeof args;
    args.self = self;
    args.executor = e;
    args.reactor = sdk::reactor_of(e);
    args.group = sdk::str("threads");
    args.members = names;
    args.n_members = members;
    args.actions = actions;
    args.n_actions = 2;
    args.address = sdk::str(address);
    args.key = sdk::str("* 000102030405060708090a0b0c0d0e0f");
    args.max_queue = 4;
    return args;
}

/// What one endpoint has seen.
struct seen {
    int messages = 0, votes = 0, up = 0;
};

/// Whatever the endpoint has next; messages are counted and proposals voted on here. Also, if wanted, room for one more
/// message to all, which is then sent: a full window is no reason to stop reading.
class step final : public sdk::awaitable {
  public:
    enum class result { went_on, sent, ended };
    step(sdk::endpoint& e, shared& s, seen& n, bool send = false) : e_(e), s_(s), n_(n), send_(send) {}
    bool poll(chm_waker* w) override {
        sdk::error_buffer why;
        chm_endpoint* raw = e_.get();
        const chm_str part = sdk::str("hello");
        chm_rc rc = send_ ? raw->vt->poll_send(raw, w, CHM_TO_ALL, 1, &part, 1, nullptr, why.abi()) : CHM_PENDING;
        if (rc == CHM_READY) result_ = result::sent;
        chm_message m{};
        m.size = sizeof m;
        if (rc == CHM_PENDING) rc = raw->vt->poll_receive(raw, w, &m, why.abi());
        if (rc == CHM_READY && result_ != result::sent) ++n_.messages;
        if (rc == CHM_PENDING) rc = look(w, why);
        if (rc < 0) ++s_.failures;
        if (rc < 0 || rc == CHM_END) result_ = result::ended;
        return rc != CHM_PENDING;
    }
    result await_resume() const noexcept { return result_; }

  private:
    chm_rc look(chm_waker* w, sdk::error_buffer& why) {
        chm_endpoint* raw = e_.get();
        chm_group_event event{};
        event.size = sizeof event;
        const chm_rc rc = raw->vt->poll_event(raw, w, &event, why.abi());
        if (rc != CHM_READY) return rc;
        if (event.kind == CHM_EVENT_UP || event.kind == CHM_EVENT_DOWN) n_.up += event.kind == CHM_EVENT_UP ? 1 : -1;
        if (event.kind == CHM_EVENT_PROPOSAL) {
            e_.vote(event.proposal, true);
            ++n_.votes;
        }
        return rc;
    }

    sdk::endpoint& e_;
    shared& s_;
    seen& n_;
    const bool send_;
    result result_ = result::went_on;
};

sdk::task<void> be_hub(shared& s, chm_executor* e) {
    sdk::endpoint hub(s.coordinator, args_for(CHM_TO_HUB, e, "127.0.0.1:0"));
    auto ready = hub.ready();
    co_await ready;
    {
        const std::lock_guard lock(s.hub.mutex);
        s.hub.address = hub.address();
        s.hub.known = true;
    }
    seen n;
    for (bool had_all = false; !had_all || n.up > 0; had_all = had_all || n.up == members) {
        step next(hub, s, n);
        if (co_await next == step::result::ended) break;
    }
    s.received += n.messages;
}

sdk::task<void> be_member(shared& s, chm_executor* e, std::int32_t number) {
    std::string address;
    for (bool known = false; !known;) {
        {
            const std::lock_guard lock(s.hub.mutex);
            known = s.hub.known;
            address = s.hub.address;
        }
        sdk::yield_now yield;
        co_await yield;
    }
    sdk::endpoint me(s.coordinator, args_for(number, e, address));
    auto ready = me.ready();
    co_await ready;
    seen n;
    while (n.up < members) { // the hub, and three others
        step next(me, s, n);
        if (co_await next == step::result::ended) co_return;
    }
    std::vector<std::uint64_t> mine;
    for (int sent = 0; sent < messages;) {
        step next(me, s, n, true);
        const step::result what = co_await next;
        if (what == step::result::ended) co_return;
        if (what != step::result::sent) continue;
        if (sent++ % (messages / proposals_each) == 0)
            mine.push_back(me.propose(mine.size() % 2 == 0 ? "low" : "high", "x"));
    }
    while (n.messages < messages * (members - 1) || n.votes < proposals_each * members) {
        step next(me, s, n);
        if (co_await next == step::result::ended) co_return;
    }
    for (const std::uint64_t proposal : mine) {
        auto ending = me.decision(proposal);
        const auto end = co_await ending;
        s.approved += end && end->outcome == CHM_APPROVED ? 1 : 0;
    }
    s.received += n.messages;
    auto together = me.barrier("end");
    co_await together;
}

struct executor {
    explicit executor(const char* name, const char* workers)
        : raw(make<chm_executor, chm_executor_factory>(name, CHM_FACTORY_EXECUTOR, "workers", workers)) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() { raw->vt->destroy(raw); }
    void spawn(sdk::task<void> body) const {
        chm_task* task = sdk::root_task::create(std::move(body));
        REQUIRE(raw->vt->spawn(raw, task, nullptr) == CHM_OK);
    }
    void run() const {
        sdk::error_buffer why;
        CHECK(raw->vt->run(raw, CHM_RUN_UNTIL_IDLE, why.abi()) == CHM_OK);
    }
    chm_executor* raw;
};

void check(const shared& s) {
    CHECK(s.failures == 0);
    CHECK(s.received == messages * members * members); // each to three others and the hub
    CHECK(s.approved == proposals_each * members);
}

/// At its end, whatever the test opened has to be gone again.
class leak_check {
  public:
    leak_check() {
        for (const char* name : {"local", "quic", "thread_pool", "uv_pinned"}) plugin(name);
        conformance::start_first_thread();
        held_ = conformance::census::take();
    }
    ~leak_check() { CHECK(held_.left_over_after(std::chrono::seconds(5)) == ""); }

  private:
    conformance::census held_;
};

} // namespace

TEST_CASE("all endpoints on one pool of four workers, which steal tasks and drivers from each other") {
    for (const char* name : {"local", "quic"}) {
        CAPTURE(name);
        const leak_check nothing_left;
        shared s{make<chm_coordinator, chm_coordinator_factory>(name, CHM_FACTORY_COORDINATOR), {}, {}, {}, {}};
        {
            const executor pool("thread_pool", "4");
            pool.spawn(be_hub(s, pool.raw));
            for (std::int32_t i = 0; i < members; ++i) pool.spawn(be_member(s, pool.raw, i));
            pool.run();
        }
        check(s);
        s.coordinator->vt->destroy(s.coordinator);
    }
}

TEST_CASE("each endpoint on an executor and a thread of its own") {
    for (const char* name : {"local", "quic"}) {
        CAPTURE(name);
        const leak_check nothing_left;
        shared s{make<chm_coordinator, chm_coordinator_factory>(name, CHM_FACTORY_COORDINATOR), {}, {}, {}, {}};
        {
            std::vector<std::unique_ptr<executor>> executors;
            std::vector<std::thread> threads;
            for (std::int32_t i = CHM_TO_HUB; i < members; ++i) {
                const executor& one = *executors.emplace_back(std::make_unique<executor>("uv_pinned", "1"));
                one.spawn(i == CHM_TO_HUB ? be_hub(s, one.raw) : be_member(s, one.raw, i));
                threads.emplace_back([&one] { one.run(); });
            }
            for (std::thread& t : threads) t.join();
        }
        check(s);
        s.coordinator->vt->destroy(s.coordinator);
    }
}

TEST_CASE("an executor that stops in the middle leaves nothing behind") {
    for (const char* name : {"local", "quic"}) {
        CAPTURE(name);
        const leak_check nothing_left;
        shared s{make<chm_coordinator, chm_coordinator_factory>(name, CHM_FACTORY_COORDINATOR), {}, {}, {}, {}};
        {
            const executor pool("thread_pool", "4");
            pool.spawn(be_hub(s, pool.raw));
            for (std::int32_t i = 0; i < members; ++i) pool.spawn(be_member(s, pool.raw, i));
            std::thread stopper([&pool] {
                std::this_thread::sleep_for(std::chrono::milliseconds(30));
                pool.raw->vt->stop(pool.raw);
            });
            sdk::error_buffer why;
            pool.raw->vt->run(pool.raw, CHM_RUN_UNTIL_IDLE, why.abi());
            stopper.join();
        }
        s.coordinator->vt->destroy(s.coordinator);
    }
}
