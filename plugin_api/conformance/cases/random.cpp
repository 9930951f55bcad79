// Schedules and fragments that are drawn from the seed.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../kit/drawn.hpp"
#include "../kit/on_reactor.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

/// A schedule as it happens on one executor. A wake is given exactly once to a task that waits: one that is lost leaves
/// the task waiting for ever.
class performance {
  public:
    performance(environment& env, const schedule& s)
        : env_(env), schedule_(s), waiting_(s.tasks.size()), left_(s.tasks.size()), executor_(env.make_executor()) {
        for (std::size_t i = 0; i < s.tasks.size(); ++i)
            executor_->spawn([this, i, at = std::size_t{0}](chm_waker* w) mutable { return poll(i, at, w); });
    }
    chm_rc run() {
        std::vector<std::unique_ptr<foreign_thread>> threads;
        for (const auto& steps : schedule_.threads)
            threads.push_back(std::make_unique<foreign_thread>(env_.probes(), [this, &steps] { perform(steps); }));
        const chm_rc rc = executor_->run(CHM_RUN_UNTIL_IDLE);
        over_ = true;
        return rc;
    }

  private:
    chm_rc poll(std::size_t task, std::size_t& at, chm_waker* w) {
        if (at == schedule_.tasks[task].size()) return --left_, CHM_READY;
        const auto [kind, operand] = schedule_.tasks[task][at++];
        switch (kind) {
        case task_step::wait:
            waiting_[task].set(w);
            return CHM_PENDING;
        case task_step::wake_twice: {
            sdk::waker mine = sdk::waker::clone(w);
            wake(mine);
            break;
        }
        case task_step::wake_other:
            wake_waiting(operand);
            break;
        case task_step::spawn:
            spawn_short();
            break;
        case task_step::spin:
            spin(operand);
            break;
        case task_step::yield:
            break;
        }
        wake_by_ref(w);
        return CHM_PENDING;
    }
    void perform(const std::vector<drawn_step<thread_step>>& steps) {
        for (const auto& [kind, operand] : steps) {
            switch (kind) {
            case thread_step::wake:
                wake_waiting(operand);
                break;
            case thread_step::wake_and_keep: {
                const sdk::waker w = waiting_[operand].take();
                if (w) wake_by_ref(w.get());
                break;
            }
            case thread_step::spawn:
                spawn_short();
                break;
            case thread_step::spin:
                spin(operand);
                break;
            case thread_step::stop:
                executor_->stop();
                break;
            }
        }
        while (!over_ && left_ > 0) { // whoever still waits is woken, once each time
            for (std::size_t i = 0; i < waiting_.size(); ++i) wake_waiting(i);
            std::this_thread::yield();
        }
    }
    void wake_waiting(std::size_t task) {
        sdk::waker w = waiting_[task].take();
        if (w) wake(w);
    }
    void spawn_short() {
        executor_->try_spawn([n = 0](chm_waker* w) mutable {
            if (n++ == 2) return CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
    }

    environment& env_;
    const schedule& schedule_;
    std::vector<sdk::waker_slot> waiting_;
    std::atomic<std::size_t> left_;
    std::atomic<bool> over_{false};
    std::unique_ptr<executor> executor_; // last: its tasks use the others
};

void schedules(environment& env) {
    random_source from = env.random();
    for (unsigned round = 0; round < scaled(150); ++round) {
        const schedule s = draw_schedule(from, false);
        expect_code(performance(env, s).run(), CHM_OK, "run's result in round " + std::to_string(round));
    }
}

void schedules_with_stop(environment& env) {
    random_source from = env.random();
    for (unsigned round = 0; round < scaled(150); ++round) {
        const schedule s = draw_schedule(from, true);
        const chm_rc rc = performance(env, s).run(); // it may be done before it is stopped
        expect(rc == CHM_OK || rc == CHM_E_CANCELED, "run must end well in round " + std::to_string(round));
    }
}

/// Reads a stream that comes in drawn pieces, in drawn sizes, clearing as each read allows.
sdk::task<void> read_drawn(chm_reactor* r, environment& env, std::uint64_t seed) {
    random_source sizes(seed), reads(seed + 1);
    const socket_pair wire;
    constexpr std::size_t total = 4000;
    const foreign_thread sending(env.probes(), [&wire, &sizes] {
        for (std::size_t sent = 0; sent < total;) {
            std::string piece(std::min<std::size_t>(drawn(sizes, 1, 60), total - sent), '\0');
            for (char& c : piece) c = static_cast<char>(sent++ % 251);
            wire.send(piece);
            spin(drawn(sizes, 0, 2000));
        }
    });
    sdk::io io(r, wire.near());
    for (std::size_t at = 0; at < total;) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        const std::size_t cap = drawn(reads, 1, 100);
        const std::string got = wire.receive(cap);
        for (const char c : got) {
            expect(c == static_cast<char>(at % 251), "byte " + std::to_string(at) + " must be as it was sent");
            ++at;
        }
        if (got.size() < cap)
            io.drained(seen, CHM_IO_READ);
        else if (drawn(reads, 0, 1) == 0)
            io.recheck(seen, CHM_IO_READ);
    }
}

void readiness(environment& env) {
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    random_source from = env.random();
    for (unsigned i = 0; i < 16; ++i) e->spawn(read_drawn(r, env, from()));
    e->run_until_idle();
}

void fragments(environment& env) {
    random_source from = env.random();
    std::vector<drawn_response> responses;
    for (unsigned i = 0; i < scaled(200); ++i) responses.push_back(draw_response(from));
    std::atomic<std::size_t> next{0};
    case_server server(env, [&](peer& p) {
        while (p.request()) {
            const drawn_response& r = responses[next++];
            std::size_t at = 0;
            for (const auto& [size, pause_us] : r.fragments) {
                if (!p.send(std::string_view(r.wire).substr(at, size))) return;
                at += size;
                if (pause_us) std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
            }
        }
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (std::size_t i = 0; i < responses.size(); ++i) {
            auto fetching = client::fetch(s, {});
            const reply r = co_await fetching;
            expect(r.body == responses[i].body,
                   "the body of response " + std::to_string(i) + " must be as it was sent");
        }
    };
    c.run(body());
    if (!env.servers().http2) expect_equal(server.connections(), 1U, "the number of connections");
}

constexpr test_case cases[] = {
    {"random.schedules", kind::executor, "Random schedules of wakes, polls and spawns across threads all finish",
     schedules},
    {"random.schedules_with_stop", kind::executor,
     "A stop at a random moment of a random schedule drops every task once", schedules_with_stop},
    {"random.readiness", kind::reactor, "Streams in random pieces, read in random sizes, arrive whole", readiness},
    {"random.fragments", kind::transport,
     "Responses cut at random points, inside characters and sizes too, arrive whole", fragments},
};

} // namespace

std::span<const test_case> random_cases() { return cases; }

} // namespace chimera::conformance
