#include "measure/piece_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

using namespace chimera::host;

namespace {

bool same(const chunk_event& a, const chunk_event& b) {
    return a.delivered == b.delivered && a.readable_to_polled == b.readable_to_polled &&
           a.polled_to_delivered == b.polled_to_delivered && a.delivered_to_recorded == b.delivered_to_recorded &&
           a.content_records == b.content_records && a.arrived_to_readable == b.arrived_to_readable &&
           a.stamped_to_recorded == b.stamped_to_recorded && a.behind_others == b.behind_others;
}

std::vector<chunk_event> unpacked(const piece_log::range& range) {
    std::vector<chunk_event> out;
    for (const chunk_event& c : range) out.push_back(c);
    return out;
}

bool same(const std::vector<chunk_event>& a, const std::vector<chunk_event>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const chunk_event& x, const chunk_event& y) { return same(x, y); });
}

/// Members of every size, and moments that also go back.
std::vector<chunk_event> drawn(std::size_t n) {
    std::mt19937_64 random(7);
    const auto delay = [&] {
        return static_cast<std::uint32_t>(random()) >> (random() % 33 == 32 ? 31 : random() % 32);
    };
    std::vector<chunk_event> out;
    for (std::size_t i = 0; i < n; ++i)
        out.push_back({random() >> (random() % 64), delay(), delay(), delay(), delay(), delay(), delay(), delay()});
    return out;
}

} // namespace

TEST_CASE("pieces are read as they were recorded, whatever their times are") {
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    constexpr nanoseconds_t latest = std::numeric_limits<nanoseconds_t>::max();
    std::vector<chunk_event> pieces = drawn(5000);
    for (const std::uint32_t edge : {0U, 1U, 0xFFU, 0x100U, 0xFFFFU, 0x10000U, 0xFFFFFFU, 0x1000000U, most})
        for (const nanoseconds_t at : {nanoseconds_t{0}, nanoseconds_t{edge}, latest})
            pieces.push_back({at, edge, edge, edge, edge, edge, edge, edge});
    piece_log log;
    for (const chunk_event& c : pieces) log.push_back(c);
    CHECK(log.size() == pieces.size());
    CHECK(same(unpacked(log.all()), pieces));

    piece_log copy = log;
    const piece_log moved = std::move(log);
    CHECK(same(unpacked(moved.all()), pieces));
    copy.push_back(pieces.front());
    pieces.push_back(pieces.front());
    CHECK(same(unpacked(copy.all()), pieces));
    CHECK(unpacked(piece_log().all()).empty());
}

TEST_CASE("the pieces of one request are found behind those of another, without reading these") {
    const std::vector<chunk_event> pieces = drawn(30);
    piece_log log;
    std::vector<piece_place> places;
    for (const chunk_event& c : pieces) {
        places.push_back(log.next());
        log.push_back(c);
    }
    for (std::size_t i = 0; i < places.size(); ++i)
        CHECK(same(unpacked(log.from(places[i], places.size() - i)),
                   {pieces.begin() + static_cast<std::ptrdiff_t>(i), pieces.end()}));
    CHECK(unpacked(log.from(log.next(), 0)).empty());
}

TEST_CASE("a token takes 18 bytes of memory: 200 of them, of each of 5000 agents, take a page of each") {
    piece_log log;
    for (std::uint32_t i = 0; i < 200; ++i) // 100 tokens/s, on a client that is late
        log.push_back({nanoseconds_t{1'000'000} * 1'000'000'000 + 10'000'000U * i, 3'000'000, 20'000, 4'000, 1, 900'000,
                       4'000'000});
    CHECK(log.bytes() <= 200 * 18);
}
