// What a token costs in calls: nothing is allocated, and one receive serves all streams.
#include <algorithm>

#include "counted_calls.hpp"
#include "frame_server.hpp"
#include "running.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

constexpr int tokens = 400, warm_up = 100, size = 100;

/// Sends a token to each of n streams at a time, in one segment.
frame_server::script sends_tokens(int n) {
    return [n](peer& p, int) {
        p.greet();
        std::vector<std::uint32_t> ids;
        for (int i = 0; i < n; ++i) ids.push_back(p.request());
        std::string heads;
        for (const std::uint32_t id : ids) heads += ok_head(id);
        p.send(heads);
        for (int i = 0; i < tokens; ++i) {
            std::string all;
            for (const std::uint32_t id : ids) all += data(id, std::string(size, 't'), i + 1 == tokens);
            std::this_thread::sleep_for(std::chrono::microseconds(300));
            p.send(all);
        }
        p.wait_for_close();
    };
}

/// Reads all of it, and counts the calls of its thread from the warm_up'th token to the last but one.
sdk::task<void> reads(transport& t, const executor& on, std::string url, call_counts& counted, std::size_t& pieces) {
    sdk::session s = t.open(on, url);
    sdk::exchange x = t.start(s, {});
    auto arriving = x.head();
    co_await arriving;
    call_counts before;
    std::size_t bytes = 0;
    for (;;) {
        auto coming = x.chunk();
        const std::optional<std::string_view> piece = co_await coming;
        if (!piece) break;
        if (bytes < warm_up * size) {
            before = calls();
        } else if (bytes < (tokens - 2) * size) {
            counted = {calls().allocations - before.allocations, calls().receives - before.receives,
                       calls().sends - before.sends};
            ++pieces;
        }
        bytes += piece->size();
    }
    CHECK(bytes == tokens * size);
}

} // namespace

TEST_CASE("a token costs no allocation, no send, and one receive that it shares with other streams") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        const int n = p.shared() ? 20 : 1;
        const frame_server server(sends_tokens(n));
        std::deque<call_counts> counted;
        std::deque<std::size_t> pieces;
        // A buffer doubles when more tokens wait in it than ever before: of all streams, a few times. Where the reader
        // was held up for long, more often: then it is asked again.
        const auto most_allocations = static_cast<std::uint64_t>(5 * n + 20);
        const auto few = [&](const call_counts& c) { return c.allocations <= most_allocations; };
        for (int tries = 0; tries == 0 || (tries < 5 && !std::ranges::all_of(counted, few)); ++tries) {
            transport t(with(p));
            executor on(p.executor, p.one_worker());
            counted.assign(static_cast<std::size_t>(n), {});
            pieces.assign(counted.size(), 0);
            for (std::size_t i = 0; i < counted.size(); ++i)
                on.spawn(reads(t, on, server.url(), counted[i], pieces[i]));
            CHECK(on.run() == CHM_OK);
        }
        for (std::size_t i = 0; i < counted.size(); ++i) {
            CHECK(counted[i].allocations <= most_allocations);
            CHECK(counted[i].sends <= 1);
            // Of the whole thread: a receive for each segment, and one more where it was cut.
            CHECK(counted[i].receives <= 2 * tokens);
            CHECK(pieces[i] > 0);
        }
    }
}
