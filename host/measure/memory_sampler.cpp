#include "measure/memory_sampler.hpp"

#include <chimera/sdk/clock.hpp>

#include <fstream>
#include <utility>

#include <pthread.h>
#include <unistd.h>

namespace chimera::host {

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

memory_sampler::memory_sampler(std::chrono::nanoseconds every) : every_(every) {
    constexpr std::size_t expected = 512;
    samples_.reserve(expected);
    watcher_ = std::thread([this] { watch(); });
}

memory_sampler::~memory_sampler() {
    if (watcher_.joinable()) finish();
}

void memory_sampler::watch() {
    pthread_setname_np(pthread_self(), "memory-sampler");
    std::unique_lock lock(mutex_);
    do samples_.push_back({sdk::now_ns(), resident_bytes()});
    while (!over_.wait_for(lock, every_, [this] { return finished_; }));
}

std::vector<memory_sample> memory_sampler::finish() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    over_.notify_one();
    watcher_.join();
    samples_.push_back({sdk::now_ns(), resident_bytes()});
    return std::move(samples_);
}

} // namespace chimera::host
