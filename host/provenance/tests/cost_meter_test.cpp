// In this process: the meter is held against what the test takes of it.
#include "provenance/cost_meter.hpp"

#include <chimera/sdk/clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <time.h>

using namespace chimera::host;

namespace {

double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void burn(double seconds) {
    const double end = cpu_seconds() + seconds;
    while (cpu_seconds() < end) {
    }
}

/// Touches so much memory and gives it back.
void use_memory(std::size_t bytes) {
    std::vector<char> block(bytes);
    for (std::size_t i = 0; i < bytes; i += 4096) static_cast<volatile char&>(block[i]) = 1;
}

constexpr std::size_t mib = std::size_t{1} << 20U;

} // namespace

TEST_CASE("the CPU time of all threads counts, from the construction on") {
    burn(0.2);
    const double before = cpu_seconds();
    const cost_meter meter;
    burn(0.1);
    std::thread([] { burn(0.1); }).join();
    const execution_cost cost = meter.finish(0);
    const double most = cpu_seconds() - before;
    REQUIRE(cost.cpu_user_s);
    REQUIRE(cost.cpu_system_s);
    const double all = *cost.cpu_user_s + *cost.cpu_system_s;
    CHECK(all > 0.15); // the kernel's own division into user and system time is coarse
    CHECK(all < most + 0.05);
}

TEST_CASE("the peak of memory is this execution's, where the kernel lets it be reset") {
    use_memory(256 * mib);
    const cost_meter meter;
    use_memory(64 * mib);
    const execution_cost cost = meter.finish(0);
    REQUIRE(cost.peak_memory_bytes);
    CHECK(*cost.peak_memory_bytes > 64 * mib);
    if (!cost.peak_is_of_process) {
        CHECK(*cost.peak_memory_bytes < 256 * mib);
    } else {
        CHECK(*cost.peak_memory_bytes > 256 * mib);
    }
}

TEST_CASE("start-up lasts until the first agent is polled; without one it is absent") {
    const cost_meter meter;
    const std::uint64_t polled = chimera::sdk::now_ns() + 5'000'000;
    const execution_cost cost = meter.finish(polled);
    REQUIRE(cost.start_up_s);
    CHECK(*cost.start_up_s >= 0.005);
    CHECK(*cost.start_up_s < 5);
    CHECK_FALSE(meter.finish(0).start_up_s);
}

TEST_CASE("steal is a share of the machine's time") {
    const cost_meter meter;
    burn(0.05);
    const execution_cost cost = meter.finish(0);
    if (cost.steal_pct) {
        CHECK(*cost.steal_pct >= 0);
        CHECK(*cost.steal_pct <= 100);
    }
    CHECK(cost.begun.value_or("").ends_with("Z"));
}
