// Ctrl-C, SIGTERM and the time limit: each ends a campaign early, in order, with its finished runs kept.
#pragma once

#include "run/execution.hpp"

#include <atomic>
#include <thread>

namespace chimera::host {

enum class interruption_reason { none, signal, time_limit };

/// Blocks SIGINT and SIGTERM in the calling thread and all that it starts afterwards, and ignores SIGPIPE. To be called
/// once, on the main thread, before any other thread exists.
void take_over_signals();

/// Waits for a signal or for the limit on a thread of its own and stops the control. Should the campaign not have ended
/// 0.9 s after a signal, or should a second one come, the process ends at once with status 130: what is on disk is
/// complete. The same 12 s after the limit, with status 1.
class interruption {
  public:
    interruption(execution_control&, double time_limit_s);
    ~interruption();
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;

    interruption_reason reason() const noexcept { return reason_.load(std::memory_order_acquire); }

  private:
    void watch(double time_limit_s);

    execution_control& control_;
    std::atomic<interruption_reason> reason_{interruption_reason::none};
    std::atomic<bool> over_{false};
    std::thread watcher_;
};

} // namespace chimera::host
