// A child process that may run until its deadline.
#pragma once

#include <chimera/sdk/owned_fd.hpp>

#include <chrono>

#include <sys/types.h>

namespace chimera::host {

/// Owns a child that spawn_child() started. Belongs to one thread.
class limited_child {
  public:
    using clock = std::chrono::steady_clock;

    /// Throws std::system_error; then the child is killed.
    limited_child(pid_t, clock::time_point deadline);
    limited_child(limited_child&&) noexcept;
    limited_child& operator=(limited_child&&) noexcept;
    /// Ends it and its process group: in order, by force after two seconds.
    ~limited_child();

    /// Readable when it has ended.
    int end_fd() const noexcept { return pidfd_.get(); }
    clock::time_point deadline() const noexcept { return deadline_; }
    /// Kills it and its process group, because its time is over.
    void time_out();
    bool timed_out() const noexcept { return timed_out_; }
    /// [once, after it has ended or was timed out] Its status, as waitpid() gives it.
    int wait();

  private:
    pid_t pid_ = -1;
    clock::time_point deadline_;
    bool timed_out_ = false;
    sdk::owned_fd pidfd_;
};

} // namespace chimera::host
