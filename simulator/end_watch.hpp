#pragma once

namespace chimera::sim {

/// Tells when the program is to end: SIGTERM, SIGINT, and, when it is to exit with its parent, the parent's death or
/// the end of standard input. Make it in the main thread before any other thread exists: it blocks those signals.
class end_watch {
  public:
    explicit end_watch(bool with_parent);
    ~end_watch();
    end_watch(const end_watch&) = delete;
    end_watch& operator=(const end_watch&) = delete;

    /// Readable when a signal has come.
    int signal_fd() const { return signal_fd_; }

    /// Standard input where its end means the parent's; -1 otherwise (a terminal or /dev/null says nothing).
    int stdin_fd() const { return stdin_fd_; }

    /// Call when stdin_fd() is readable: reads what is there and tells whether that was the end.
    bool stdin_ended() const;

    /// True when the parent was gone before it could be watched.
    bool parent_already_gone() const { return parent_already_gone_; }

  private:
    int signal_fd_ = -1;
    int stdin_fd_ = -1;
    bool parent_already_gone_ = false;
};

} // namespace chimera::sim
