#include "agent/agent_task.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace chimera::host;

namespace {

constexpr nanoseconds_t begin = 5'000'000'000, second = 1'000'000'000;

workload_spec calls(arrival_kind arrivals, double rate_per_s) {
    workload_spec w;
    w.kind = workload_kind::calls;
    w.arrivals = arrivals;
    w.rate_per_s = rate_per_s;
    return w;
}

std::vector<nanoseconds_t> all_of(const workload_spec& w, const schedule_place& place, nanoseconds_t call_takes = 0) {
    std::vector<nanoseconds_t> out;
    call_schedule schedule(w, place, begin);
    nanoseconds_t now = begin;
    while (const auto due = schedule.next(now)) {
        out.push_back(*due);
        now = std::max(now, *due) + call_takes;
    }
    return out;
}

} // namespace

TEST_CASE("closed arrivals wait for the call before, and think") {
    workload_spec w = calls(arrival_kind::closed, 0);
    w.calls_per_agent = 3;
    w.think_ms = 100;
    CHECK(all_of(w, {}, second) ==
          std::vector<nanoseconds_t>{begin, begin + second + second / 10, begin + 2 * second + 2 * (second / 10)});
}

TEST_CASE("a ramp spreads the beginnings evenly") {
    workload_spec w = calls(arrival_kind::closed, 0);
    w.ramp_ms = 1000;
    for (std::size_t i = 0; i < 4; ++i) CHECK(all_of(w, {i, 4, 0}).front() == begin + i * second / 4);
}

TEST_CASE("constant arrivals of all agents lie at even distances, however long a call takes") {
    workload_spec w = calls(arrival_kind::constant, 10);
    w.duration_s = 1;
    std::vector<nanoseconds_t> all;
    for (std::size_t i = 0; i < 5; ++i)
        for (const nanoseconds_t due : all_of(w, {i, 5, 0}, 3 * second)) all.push_back(due);
    std::sort(all.begin(), all.end());
    REQUIRE(all.size() == 10);
    for (std::size_t k = 0; k < all.size(); ++k) CHECK(all[k] == begin + k * second / 10);
}

TEST_CASE("Poisson arrivals have the rate and the spread of their process, and depend on the seed alone") {
    workload_spec w = calls(arrival_kind::poisson, 200);
    w.duration_s = 100;
    const auto due = all_of(w, {0, 2, 7});
    // 10 000 expected; a Poisson count lies within five standard deviations of that, and its gaps' sd is their mean.
    CHECK(std::abs(static_cast<double>(due.size()) - 10'000) < 500);
    double sum = 0, squares = 0;
    for (std::size_t i = 1; i < due.size(); ++i) {
        const double gap = static_cast<double>(due[i] - due[i - 1]) / 1e9;
        sum += gap;
        squares += gap * gap;
    }
    const double n = static_cast<double>(due.size() - 1), mean = sum / n;
    CHECK(std::sqrt(squares / n - mean * mean) / mean == doctest::Approx(1).epsilon(0.1));
    CHECK(all_of(w, {0, 2, 7}) == due);
    CHECK(all_of(w, {0, 2, 8}) != due);
}

TEST_CASE("a duration ends the calls, a count does where there is none") {
    workload_spec w = calls(arrival_kind::closed, 0);
    w.duration_s = 2;
    CHECK(all_of(w, {}, second / 2).size() == 4);
    w.duration_s = 0;
    w.calls_per_agent = 7;
    CHECK(all_of(w, {}, second / 2).size() == 7);
}
