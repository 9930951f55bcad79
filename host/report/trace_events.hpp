// Executions as events of a Chrome trace: what ui.perfetto.dev and chrome://tracing draw. docs/trace.md says how to
// read it.
#pragma once

#include "measure/timeline.hpp"

#include <string>

namespace chimera::host {

/// Turns executions into elements of a trace's "traceEvents". Each execution is a process of the trace: its worker
/// threads and its agents are that process's threads, tokens its counters. Times are microseconds since the first
/// execution was set up.
///
/// Format: "Trace Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
class trace_events {
  public:
    /// long_poll_ms: a poll longer than this blocks its worker, and an agent that waits longer is runnable, not polled.
    explicit trace_events(double long_poll_ms) : threshold_(static_cast<nanoseconds_t>(long_poll_ms * 1e6)) {}

    /// The events of the next execution, separated by ",\n". Its agents have logs.
    std::string render(const std::string& name, const execution_record&);

  private:
    const nanoseconds_t threshold_;
    nanoseconds_t origin_ = 0;                    // of the first execution
    int processes_ = 0, tracks_ = 0, arrows_ = 0; // used so far: unique in the whole file
};

} // namespace chimera::host
