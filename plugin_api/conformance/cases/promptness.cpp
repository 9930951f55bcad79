// What a transport may not add to the times that are measured: its own waiting.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

constexpr const char* chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view data) {
    char size[32];
    std::snprintf(size, sizeof size, "%zX\r\n", data.size());
    return size + std::string(data) + "\r\n";
}

/// Looks at calls that must not wait. One that was only preempted, on a machine that is busy, has not waited.
class stopwatch {
  public:
    explicit stopwatch(std::uint64_t limit_ns) noexcept : limit_ns_(limit_ns) {}
    template <class Call>
    auto time(const char* what, Call&& call) {
        const std::uint64_t start = sdk::now_ns(), cpu = cpu_ns();
        const long waits = voluntary_switches();
        auto result = call();
        const std::uint64_t took = sdk::now_ns() - start;
        if (took > limit_ns_ && (voluntary_switches() > waits || cpu_ns() - cpu > limit_ns_) && late_.empty())
            late_ = std::string(what) + " must return at once while the server is silent, and took " +
                    std::to_string(took / 1'000'000) + " ms";
        return result;
    }
    /// Not from inside a poll, which may not throw.
    void check() const { expect(late_.empty(), late_); }

  private:
    static long voluntary_switches() noexcept {
        rusage used{};
        ::getrusage(RUSAGE_THREAD, &used);
        return used.ru_nvcsw;
    }
    static std::uint64_t cpu_ns() noexcept {
        timespec t{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
    }
    std::uint64_t limit_ns_;
    std::string late_; ///< the first call that waited
};

/// An awaitable that times each of its polls.
template <class Inner>
class timed final : public sdk::awaitable {
  public:
    timed(stopwatch& w, const char* what, Inner inner) : watch_(w), what_(what), inner_(std::move(inner)) {}
    bool poll(chm_waker* waker) override {
        return watch_.time(what_, [&] { return inner_.poll(waker); });
    }
    auto await_resume() const {
        watch_.check();
        return inner_.await_resume();
    }

  private:
    stopwatch& watch_;
    const char* what_;
    Inner inner_;
};

void polls_return(environment& env) {
    const unsigned silence_ms = sanitized ? 2000 : 400;
    case_server server(env, [&](peer& p) {
        if (!p.request()) return;
        sleep_ms(silence_ms);
        const std::string rest = chunk("hello world");
        p.send(std::string(chunked_head) + rest.substr(0, 5)); // silent inside a chunk
        sleep_ms(silence_ms);
        p.send(rest.substr(5));
        sleep_ms(silence_ms);
        p.send("0\r\n\r\n");
        p.wait_for_close();
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        stopwatch watch(silence_ms * 1'000'000ULL / 4);
        std::optional<sdk::session> s = watch.time("open", [&] { return std::optional(c.open(server.url())); });
        std::optional<sdk::exchange> x = watch.time("start", [&] { return std::optional(client::start(*s, {})); });
        timed head(watch, "poll_head", x->head());
        co_await head;
        std::string got;
        for (;;) {
            timed next(watch, "poll_chunk", x->chunk());
            const auto piece = co_await next;
            if (!piece) break;
            got += *piece;
        }
        expect_equal(got, "hello world", "the body");
        watch.time("close of an exchange", [&] { return x.reset(), 0; });
        std::optional<sdk::exchange> unfinished =
            watch.time("start", [&] { return std::optional(client::start(*s, {})); });
        sdk::timer pause(c.reactor());
        {
            timed begun(watch, "poll_head", unfinished->head());
            sdk::timer::expiry limit = pause.after(20'000'000);
            const auto either = [&](chm_waker* w) { return begun.poll(w) || limit.poll(w); };
            class both final : public sdk::awaitable {
              public:
                explicit both(std::function<bool(chm_waker*)> f) : f_(std::move(f)) {}
                bool poll(chm_waker* w) override { return f_(w); }
                void await_resume() const noexcept {}

              private:
                std::function<bool(chm_waker*)> f_;
            } waiting(either);
            co_await waiting;
        }
        watch.time("close of an unfinished exchange", [&] { return unfinished.reset(), 0; });
        watch.time("close of a session", [&] { return s.reset(), 0; });
        watch.check();
    };
    c.run(body());
}

constexpr std::size_t stamp_size = 20; // digits

/// How late pieces are given, in the middle: the server writes into each when it sent it.
std::uint64_t median_delay_ns(environment& env) {
    constexpr unsigned pieces = 60;
    case_server server(env, [](peer& p) {
        if (!p.request()) return;
        p.send(chunked_head);
        for (unsigned i = 0; i < pieces; ++i) {
            sleep_ms(3);
            char stamp[stamp_size + 1];
            std::snprintf(stamp, sizeof stamp, "%020llu", static_cast<unsigned long long>(sdk::now_ns()));
            if (!p.send(chunk(stamp))) return;
        }
        p.send("0\r\n\r\n");
    });
    const client c(env);
    std::vector<std::uint64_t> delays;
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange x = client::start(s, {});
        co_await x.head();
        std::string text;
        while (const auto piece = co_await x.chunk()) {
            const std::uint64_t now = sdk::now_ns();
            text += *piece;
            for (; text.size() >= stamp_size; text.erase(0, stamp_size))
                delays.push_back(now - std::stoull(text.substr(0, stamp_size)));
        }
        expect_equal(delays.size(), std::size_t{pieces}, "the number of pieces");
    };
    c.run(body());
    if (delays.empty()) return 0; // it was said why
    std::nth_element(delays.begin(), delays.begin() + pieces / 2, delays.end());
    return delays[pieces / 2];
}

void given_promptly(environment& env) {
    const std::uint64_t limit_ns = (sanitized ? 20 : 2) * 1'000'000ULL;
    std::uint64_t best = ~0ULL;
    for (unsigned i = 0; i < 3 && best > limit_ns; ++i)
        best = std::min(best, median_delay_ns(env)); // the machine may be busy
    expect(best <= limit_ns, "half of the pieces must be given within " + std::to_string(limit_ns / 1'000'000) +
                                 " ms after they were sent, and it took " + std::to_string(best / 1000) + " us");
}

constexpr test_case cases[] = {
    {"exchange.polls_return", kind::transport, "No call blocks while the server is silent", polls_return},
    {"framing.given_promptly", kind::transport, "A piece is given as soon as it can be read", given_promptly},
};

} // namespace

std::span<const test_case> promptness_cases() { return cases; }

} // namespace chimera::conformance
