// Ends a run that would never end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "executor_under_test.hpp"

namespace chimera::test {

/// Stops the executor after ten seconds: the test fails instead of hanging. Declared after the executor, destroyed
/// after its run.
class run_limit {
  public:
    explicit run_limit(executor_under_test& ex)
        : thread_([this, &ex](const std::stop_token& over) {
              std::unique_lock lock(mutex_);
              if (!passed_.wait_for(lock, over, std::chrono::seconds(10), [] { return false; }) &&
                  !over.stop_requested())
                  ex.stop();
          }) {}

  private:
    std::mutex mutex_;
    std::condition_variable_any passed_;
    std::jthread thread_; // last
};

} // namespace chimera::test
