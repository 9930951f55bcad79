// In which turn of the loop we are, counted without asking asyncio.
#pragma once

#include <cstdint>

namespace chimera::python_asyncio {

/// asyncio calls in a turn, in this order: what was queued during the turn before, then what the selector has just
/// reported. So the first callback that was queued in this turn is called in the next, and until then the selector was
/// asked once. One thread.
class turns {
  public:
    /// A callback was queued.
    void queued() noexcept { ++queued_; }
    /// One of them is being called.
    void called() noexcept {
        if (called_++ != of_earlier_turns_) return;
        of_earlier_turns_ = queued_;
        ++now_;
    }
    /// Grows by at least one between two moments when a callback that was queued before the first is called before the
    /// second, and the selector was then asked in between.
    std::uint64_t now() const noexcept { return now_; }

  private:
    std::uint64_t queued_ = 0, called_ = 0;
    std::uint64_t of_earlier_turns_ = 0; // how many had been queued when this turn began
    std::uint64_t now_ = 0;
};

} // namespace chimera::python_asyncio
