// A worker: a ring, and the tasks, descriptors, timers and receives that live on it; and the reactor of all workers.
#pragma once

#include <sys/eventfd.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include "../pinned/executor.hpp"
#include "chimera/abi/reactor.h"
#include "chimera/sdk/owned_fd.hpp"
#include "chimera/sdk/timer_heap.hpp"
#include "chimera/sdk/waker.hpp"
#include "ring.hpp"

namespace chimera::uring {

class worker;

/// A registration, timer or receive of a task. Listed until it is let go, so that the end finds leaked ones.
class entry {
  public:
    explicit entry(worker& home) noexcept;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    worker& home;
    sdk::waker waiter;

    /// The owner is gone: the waker is dropped, and the entry freed, at once or with the last answer that is in flight.
    void let_go() noexcept;
    /// Gives buffers of the kernel's back, if it holds any.
    virtual void move_out() noexcept {}

  protected:
    virtual ~entry() = default;

  private:
    /// let_go's second half.
    virtual void end() noexcept = 0;

    entry *previous_ = nullptr, *next_; // in the worker's list
    friend class worker;
};

class timer_entry final : public entry {
  public:
    using entry::entry;
    std::uint64_t due_ns() const noexcept { return deadline_ns; }

    std::uint64_t deadline_ns = 0;
    std::size_t place = 0; // the heap's

  private:
    void end() noexcept override;
};

class reception;

struct ring_options {
    unsigned entries;
    bool defer_taskrun;
    unsigned buffers; ///< a power of two, or 0: no receive extension
    std::size_t buffer_size;
};

class worker final : public pinned::worker {
  public:
    /// Throws sdk::error, std::system_error.
    worker(sdk::lifecycle_state& life, const chm_host* host, const ring_options& options);

    /// The worker whose thread this is, or nullptr.
    static worker* current() noexcept { return static_cast<worker*>(pinned::worker::current()); }

    /// [any-thread]
    void knock() noexcept;

    // --- this worker's thread ---

    void loop() noexcept;
    void end_loop() noexcept;
    ring& requests() noexcept { return ring_; }
    /// [only where receives() is true]
    buffer_ring& buffers() noexcept { return *buffers_; }
    bool receives() const noexcept { return buffers_.has_value(); }
    sdk::timer_heap<timer_entry>& timers() noexcept { return timers_; }
    /// Descriptors that have a registration, and descriptors that have a receive.
    std::unordered_set<int>& registered() noexcept { return registered_; }
    std::unordered_set<int>& receiving() noexcept { return receiving_; }
    /// The receive found no buffer. It is started again when there is one, after the receives that starve already.
    void starves(reception& r) noexcept;
    void starves_no_more(reception& r) noexcept;

  private:
    /// Woken by the clock, at or before the first timer's deadline.
    class alarm final : public operation {
      public:
        explicit alarm(worker& home) noexcept : home_(home) {}
        void set(std::uint64_t deadline_ns) noexcept;

      private:
        void answered(int result, std::uint32_t flags) noexcept override;
        worker& home_;
        std::uint64_t set_to_ns_ = 0;
        __kernel_timespec when_{};
    };
    /// An eventfd on which other threads knock.
    class doorbell final : public operation {
      public:
        explicit doorbell(worker& home) noexcept : home_(home) {}
        void listen() noexcept;
        void knock() noexcept;

      private:
        void answered(int result, std::uint32_t flags) noexcept override;
        worker& home_;
        const sdk::owned_fd fd_ = sdk::owned_fd::checked(::eventfd(0, EFD_CLOEXEC), "eventfd");
        std::uint64_t count_ = 0; // where the kernel writes
    };

    bool may_sleep() noexcept;
    void feed_starving() noexcept;
    void fire_timers() noexcept;

    // Any thread.
    std::atomic<bool> asleep_{false}; // waits, or is about to; the thread that clears it knocks

    // The worker's thread.
    std::optional<buffer_ring> buffers_; // outlives ring_
    ring ring_;
    doorbell doorbell_{*this};
    alarm alarm_{*this};
    sdk::timer_heap<timer_entry> timers_;
    std::unordered_set<int> registered_, receiving_;
    reception* starving_ = nullptr;         // linked; the one that has waited longest is first
    reception** starving_end_ = &starving_; // where the next one goes
    entry* entries_ = nullptr;              // all there are, linked
    friend class entry;
};

/// "chimera.reactor/1" on io_uring, of one executor: each worker's descriptors and timers, on that worker's ring.
/// Affine: every function works on the calling worker's own ring and refuses other threads.
class reactor final : public chm_reactor {
  public:
    reactor() noexcept;
    /// [before any task] The executor whose reactor this is.
    void attach(const sdk::lifecycle_state& life) noexcept { life_ = &life; }

    /// The calling worker, if it is one of this reactor's executor.
    worker* here() const noexcept;
    /// [before any task] Whether the workers can receive by completion: they all can, or none.
    void offer_receives(bool yes) noexcept { receives_ = yes; }
    bool receives() const noexcept { return receives_; }

  private:
    const sdk::lifecycle_state* life_ = nullptr; // names the executor: its workers have the same
    bool receives_ = false;
};

} // namespace chimera::uring
