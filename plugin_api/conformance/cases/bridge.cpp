// Bridges: a transport that works on one executor while its I/O happens on another.
#include <atomic>
#include <string>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

const chm_bridge_ext* bridge_of(const executor& e) {
    const auto* ext = static_cast<const chm_bridge_ext*>(e.raw()->vt->get_extension(e.raw(), CHM_EXT_BRIDGE));
    if (!ext) throw skipped("it has no bridge");
    return ext;
}

/// An executor with a bridge over a transport that works on a running foreign executor.
class bridged {
  public:
    explicit bridged(environment& env) : foreign_(env.make_foreign()), self_(env.make_executor()) {
        const chm_bridge_ext* ext = bridge_of(*self_);
        if (!foreign_ || env.settings().transport.empty()) throw skipped("needs --foreign and --transport");
        inner_ = env.make_bridged_transport();
        running_.emplace(env.probes(), [this] { foreign_->run(CHM_RUN_UNTIL_STOP); });
        sdk::error_buffer err;
        const chm_rc rc = ext->wrap(self_->raw(), foreign_->raw(), inner_, &outer_, err.abi());
        if (rc < 0) {
            shut_down();
            if (rc == CHM_E_AFFINITY) throw skipped("it refuses this foreign executor: " + std::string(err.text()));
            throw failure("wrap failed with " + code_name(rc) + ": " + std::string(err.text()));
        }
    }
    bridged(const bridged&) = delete;
    bridged& operator=(const bridged&) = delete;
    ~bridged() {
        if (outer_) outer_->vt->destroy(outer_);
        shut_down();
    }

    executor& self() const noexcept { return *self_; }
    sdk::session open(const std::string& url) const {
        chm_session_args args{};
        args.size = sizeof args;
        args.executor = self_->raw();
        args.reactor = foreign_->reactor();
        args.base_url = sdk::str(url);
        return sdk::session(outer_, args);
    }

  private:
    void shut_down() {
        foreign_->stop();
        running_.reset();
        inner_->vt->destroy(inner_);
    }

    std::unique_ptr<executor> foreign_, self_;
    chm_transport* inner_ = nullptr;
    chm_transport* outer_ = nullptr;
    std::optional<foreign_thread> running_;
};

sdk::task<void> ask(const bridged& b, std::string url, unsigned times) {
    sdk::session s = b.open(url);
    for (unsigned i = 0; i < times; ++i) {
        auto fetching = client::fetch(s, {"POST", "/", {}, "a question"});
        const reply r = co_await fetching;
        expect_equal(r.body, "hello world", "the body");
    }
}

void works(environment& env) {
    scripted_server server([](peer& p) {
        while (
            p.request() &&
            p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 9)) {
        }
    });
    const bridged b(env);
    for (unsigned i = 0; i < 4; ++i) b.self().spawn(ask(b, server.url(), scaled(50)));
    b.self().run_until_idle();
    expect_equal(server.connections(), 4U, "the number of connections of four sessions");
}

void fails(environment& env) {
    scripted_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    });
    const bridged b(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = b.open(server.url());
        auto failing = client::fetch_failing(s, {}, CHM_E_CLOSED, server.url());
        co_await failing;
    };
    b.self().spawn(body());
    b.self().run_until_idle();
}

void stopped(environment& env) {
    std::atomic<bool> begun{false};
    scripted_server server([&](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome");
        begun = true;
        p.wait_for_close();
    });
    const bridged b(env);
    const auto asking = [&]() -> sdk::task<void> {
        try {
            auto whole = ask(b, server.url(), 1);
            co_await whole;
        } catch (const sdk::error& e) { // a poll that blocks has to be told; others are just dropped
            expect_code(e.code(), CHM_E_CANCELED, "the code of an exchange that stop ended");
        }
    };
    for (unsigned i = 0; i < 4; ++i) b.self().spawn(asking());
    const foreign_thread stopping(env.probes(), [&] {
        wait_until([&] { return begun.load(); }, "a response to begin");
        sleep_ms(10);
        b.self().stop();
    });
    expect_code(b.self().run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
}

void foreign_without_reactor(environment& env) {
    if (env.settings().transport.empty()) throw skipped("needs --transport");
    if (env.plugin().single_instance()) throw skipped("one instance may be alive at a time");
    const auto self = env.make_executor(), other = env.make_executor();
    const chm_bridge_ext* ext = bridge_of(*self);
    if (other->reactor()) throw skipped("its own executors have a reactor");
    chm_transport* inner = env.make_bridged_transport();
    chm_transport* outer = nullptr;
    sdk::error_buffer err;
    const chm_rc rc = ext->wrap(self->raw(), other->raw(), inner, &outer, err.abi());
    if (outer) outer->vt->destroy(outer);
    inner->vt->destroy(inner);
    expect_code(rc, CHM_E_NOSYS, "wrap's result for a foreign executor without a reactor");
    expect(!err.text().empty(), "wrap must say why it refuses");
}

constexpr test_case cases[] = {
    {"bridge.works", kind::bridge, "A bridged transport carries exchanges of several sessions", works},
    {"bridge.fails", kind::bridge, "A failure comes through a bridge with its code and message", fails},
    {"bridge.stopped", kind::bridge, "Stop ends tasks that wait behind a bridge", stopped},
    {"bridge.foreign_without_reactor", kind::bridge, "A foreign executor without a reactor is refused with CHM_E_NOSYS",
     foreign_without_reactor},
};

} // namespace

std::span<const test_case> bridge_cases() { return cases; }

} // namespace chimera::conformance
