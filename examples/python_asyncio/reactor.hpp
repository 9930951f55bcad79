// The contract's reactor on asyncio's: add_reader, add_writer and call_at.
#pragma once

#include <unordered_set>

#include <chimera/abi/reactor.h>
#include <chimera/sdk/owned_fd.hpp>

#include "event_loop.hpp"
#include "turns.hpp"

namespace chimera::python_asyncio {

struct io_entry;
struct timer_entry;

/// Affine: for the thread that has settled on the loop, which holds the GIL.
///
/// asyncio says readable and writable, and nothing else. That a descriptor has failed or its peer has ended its
/// sending, which the contract wants to know whatever is waited for, comes from an epoll that watches for these alone
/// (edge-triggered, so data does not wake it), and which the loop watches as one more descriptor.
class reactor final : public chm_reactor {
  public:
    /// Borrows all of them. Throws std::system_error.
    reactor(const chm_host*, event_loop&, const turns&);
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;
    /// [close was called] ~
    ~reactor() = default;

    /// [settled] The loop watches from here on. False: it is logged why not.
    bool open() noexcept;
    /// [GIL; the loop has stopped] Ends the watch, and all ios and timers that were not deregistered, with a warning
    /// for each.
    void close() noexcept;

  private:
    friend struct reactor_functions;
    friend struct io_entry;
    friend struct timer_entry;

    void report_ends() noexcept;

    const chm_host* const host_;
    event_loop& loop_;
    const turns& turns_;
    const sdk::owned_fd ends_; // the epoll
    ref on_ends_;
    std::unordered_set<io_entry*> ios_;
    std::unordered_set<timer_entry*> timers_;
};

} // namespace chimera::python_asyncio
