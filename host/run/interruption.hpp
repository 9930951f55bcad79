// Ctrl-C, SIGTERM and the time limit: each ends a campaign early, with an orderly shutdown; finished runs are kept.
#pragma once

#include "run/execution.hpp"

#include <atomic>
#include <csignal>
#include <thread>

namespace chimera::host {

enum class interruption_reason { none, signal, time_limit };

/// [main thread, once, before any other thread exists] Blocks SIGINT and SIGTERM in this thread and all later ones, and
/// ignores SIGPIPE.
void take_over_signals();

/// SIGINT and SIGTERM.
sigset_t ending_signals();

/// [take_over_signals was called; any thread] Whether one of them has come to the process. It stays pending, so
/// everybody who asks later gets the same answer.
bool end_is_asked();

/// Waits on its own thread for a signal or the time limit, then stops the control. The process ends at once with status
/// 130 when the campaign has not ended 0.9 s after a signal, or at a second signal, and with status 1 when it has not
/// ended 12 s after the limit. Runs on disk are complete in each case.
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
