// The queue of all workers.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>

#include <chimera/sdk/cell_queue.hpp>

namespace chimera::thread_pool {

/// What foreign threads wake and spawn, and what a full run_queue sheds. Any thread.
class injector {
  public:
    /// first..last are `n` linked cells; last.next is nullptr.
    void push(sdk::task_cell& first, sdk::task_cell& last, std::size_t n) noexcept {
        std::lock_guard lock(mutex_);
        cells_.append(first, last);
        size_.store(size_.load(std::memory_order_relaxed) + n, std::memory_order_seq_cst);
    }
    /// Moves up to limit(size) cells to the end of `to`.
    template <class Limit>
    void pop_into(sdk::cell_list& to, Limit limit) noexcept {
        if (empty()) return;
        std::lock_guard lock(mutex_);
        std::size_t size = size_.load(std::memory_order_relaxed);
        for (std::size_t n = limit(size); n > 0 && size > 0; --n, --size) to.push(*cells_.pop());
        size_.store(size, std::memory_order_seq_cst);
    }
    bool empty() const noexcept { return size_.load(std::memory_order_seq_cst) == 0; }

  private:
    std::mutex mutex_;
    sdk::cell_list cells_;             // guarded by mutex_
    std::atomic<std::size_t> size_{0}; // written under mutex_
};

} // namespace chimera::thread_pool
