#include "measure/thread_sampler.hpp"

#include <chimera/sdk/clock.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <pthread.h>
#include <unistd.h>

namespace chimera::host {
namespace {

/// A sample costs some 0.3 ms of a core: in the long run a thousandth of it. What a thread does between its last sample
/// and its end is not seen, so samples are closer where the whole is short.
std::chrono::nanoseconds until_next(nanoseconds_t since_begin) {
    using namespace std::chrono_literals;
    return std::clamp<std::chrono::nanoseconds>(std::chrono::nanoseconds(since_begin / 20), 10ms, 250ms);
}

/// "on CPU, waiting for a CPU, slices", the first two in ns (Documentation/scheduler/sched-stats). False when the
/// thread has gone, or on a kernel without these accounts.
bool read_accounts(const std::filesystem::path& task, nanoseconds_t& busy, nanoseconds_t& queued) {
    std::ifstream in(task / "schedstat");
    return static_cast<bool>(in >> busy >> queued);
}

} // namespace

thread_sampler::thread_sampler() : begin_(sdk::now_ns()) {
    sample(true);
    watcher_ = std::thread([this] { watch(); });
}

thread_sampler::~thread_sampler() {
    if (watcher_.joinable()) finish();
}

void thread_sampler::watch() {
    pthread_setname_np(pthread_self(), "thread-sampler");
    std::unique_lock lock(mutex_);
    while (!over_.wait_for(lock, until_next(sdk::now_ns() - begin_), [this] { return finished_; })) sample(false);
}

void thread_sampler::sample(bool before) {
    std::error_code ec;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ec)) {
        const std::string id = task.path().filename();
        int tid = 0;
        std::from_chars(id.data(), id.data() + id.size(), tid);
        nanoseconds_t busy = 0, queued = 0;
        if (!read_accounts(task.path(), busy, queued)) continue;
        account& a = threads_[tid];
        if (before || busy < a.busy) { // a number that is used again is another thread's
            a.first_busy = busy;
            a.first_queued = queued;
        }
        if (std::string name; std::ifstream(task.path() / "comm") >> name) a.name = name; // a thread may rename itself
        a.busy = busy;
        a.queued = queued;
    }
}

std::optional<thread_load> thread_sampler::finish() {
    {
        const std::lock_guard lock(mutex_);
        sample(false);
        finished_ = true;
    }
    over_.notify_one();
    watcher_.join();
    const double time = static_cast<double>(std::max<nanoseconds_t>(sdk::now_ns() - begin_, 1));
    std::optional<thread_load> busiest;
    for (const auto& [tid, a] : threads_) {
        const double busy = static_cast<double>(a.busy - a.first_busy) / time * 100;
        if (busiest && busy <= busiest->busy_pct) continue;
        busiest =
            thread_load{a.name, std::min(busy, 100.0), static_cast<double>(a.queued - a.first_queued) / time * 100};
    }
    return busiest;
}

} // namespace chimera::host
