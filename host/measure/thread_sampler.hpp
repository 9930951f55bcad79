// How busy this process's threads are, from the kernel's own accounts.
#pragma once

#include "measure/timeline.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace chimera::host {

/// Samples /proc/self/task/*/schedstat on a thread of its own from construction to finish(). A thread that ends in
/// between counts with what its last sample said, so a twentieth of the time before it may be missing, at most 250 ms.
class thread_sampler {
  public:
    thread_sampler();
    ~thread_sampler();
    thread_sampler(const thread_sampler&) = delete;
    thread_sampler& operator=(const thread_sampler&) = delete;

    /// Takes the last sample and gives the busiest thread's shares of the time since construction; nothing where
    /// no thread was seen. Once.
    std::optional<thread_load> finish();

  private:
    struct account {
        std::string name;
        nanoseconds_t first_busy = 0, busy = 0, first_queued = 0, queued = 0; // ns
    };
    void watch();
    /// before: what a thread has done by now is not of this time.
    void sample(bool before);

    nanoseconds_t begin_;
    std::map<int, account> threads_; // by id; guarded by mutex_
    std::mutex mutex_;
    std::condition_variable over_;
    bool finished_ = false; // guarded by mutex_
    std::thread watcher_;
};

} // namespace chimera::host
