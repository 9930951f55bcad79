// Tests on real executors: each kind of sharing, on each executor that can.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "conformance/kit/census.hpp"
#include "loaded.hpp"

namespace chimera::h2::test {

/// First in a test: at its end, whatever the test opened has to be gone again.
class leak_check {
  public:
    leak_check() {
        for (const char* name : {"h2", "uv_pinned", "uring", "thread_pool", "fiber"}) plugin(name);
        conformance::start_first_thread();
        held_ = conformance::census::take();
    }
    leak_check(const leak_check&) = delete;
    leak_check& operator=(const leak_check&) = delete;
    ~leak_check() { CHECK(held_.left_over_after(std::chrono::seconds(5)) == ""); }

  private:
    conformance::census held_;
};

struct place {
    std::string executor, share;
    /// A worker's sessions are all on one connection only where there is one worker.
    static option_list one_worker() { return {{"workers", "1"}}; }
    bool shared() const { return share == "worker"; }
};

/// Every executor with either kind of sharing.
inline std::vector<place> places() {
    std::vector<place> all;
    for (const char* name : {"uv_pinned", "uring", "thread_pool", "fiber"}) {
#if defined(__SANITIZE_THREAD__)
        if (plugin(name).flags & CHM_PLUGIN_NO_TSAN) continue;
#endif
        for (const char* share : {"session", "worker"}) all.push_back({name, share});
    }
    return all;
}

inline option_list with(const place& p, option_list options = {}) {
    options.emplace_back("share", p.share);
    return options;
}

/// One session that does one exchange.
inline sdk::task<void> ask(transport& t, const executor& on, std::string url, request r, outcome& o) {
    sdk::session s = t.open(on, url);
    auto fetching = t.fetch(s, std::move(r), o);
    co_await fetching;
}

/// Waits on the executor's reactor.
inline sdk::task<void> pause(const executor& on, int ms) {
    sdk::timer timer(on.reactor());
    auto over = timer.after(static_cast<std::uint64_t>(ms) * 1'000'000U);
    co_await over;
}

/// n sessions, each on its own task, one exchange each.
inline std::deque<outcome> fetch_all(const place& p, const std::string& url, int n, const request& r = {},
                                     const option_list& options = {}) {
    transport t(with(p, options));
    executor on(p.executor, p.one_worker());
    std::deque<outcome> outcomes(static_cast<std::size_t>(n));
    for (outcome& o : outcomes) on.spawn(ask(t, on, url, r, o));
    CHECK(on.run() == CHM_OK);
    return outcomes;
}

} // namespace chimera::h2::test
