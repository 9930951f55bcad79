// The resident memory of this process over time.
#pragma once

#include "measure/timeline.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace chimera::host {

/// Bytes of this process that are in memory, as the kernel counts its pages (proc(5), statm); 0: it does not say.
std::uint64_t resident_bytes();

/// Reads it on a thread of its own from construction to finish(). A sample takes some 10 us.
class memory_sampler {
  public:
    explicit memory_sampler(std::chrono::nanoseconds every);
    ~memory_sampler();
    memory_sampler(const memory_sampler&) = delete;
    memory_sampler& operator=(const memory_sampler&) = delete;

    /// The samples, the last one taken now. Once.
    std::vector<memory_sample> finish();

  private:
    void watch();

    const std::chrono::nanoseconds every_;
    std::vector<memory_sample> samples_; // guarded by mutex_
    std::mutex mutex_;
    std::condition_variable over_;
    bool finished_ = false; // guarded by mutex_
    std::thread watcher_;
};

} // namespace chimera::host
