// Where runnable tasks wait: each worker's own ring, and the queue of all workers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <chimera/sdk/task_cell.hpp>

namespace chimera::thread_pool {

/// A worker's own queue: a bounded ring that one thread fills and any thread may steal from, without a lock. Holds the
/// queue's reference of each cell in it. head_ and tail_ only grow; their difference is the number of cells. A slot is
/// written again only after head_ has passed it, so a thief whose compare-and-swap of head_ succeeds has read a cell
/// that is now its own.
class run_queue {
  public:
    static constexpr std::uint32_t capacity = 256;

    run_queue() noexcept = default;
    run_queue(const run_queue&) = delete;
    run_queue& operator=(const run_queue&) = delete;
    ~run_queue() {
        while (sdk::task_cell* cell = pop()) cell->release();
    }

    /// [owner] False when the ring is full.
    bool push(sdk::task_cell& cell) noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) == capacity) return false;
        slot(tail).store(&cell, std::memory_order_relaxed);
        tail_.store(tail + 1, std::memory_order_seq_cst); // ordered before the look at the sleepers
        return true;
    }

    /// [owner] The oldest cell, or nullptr.
    sdk::task_cell* pop() noexcept {
        std::uint32_t head = head_.load(std::memory_order_acquire);
        while (head != tail_.load(std::memory_order_relaxed)) {
            sdk::task_cell* cell = slot(head).load(std::memory_order_relaxed);
            if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire))
                return cell;
        }
        return nullptr;
    }

    /// [owner] Takes the older half of a full ring as a list linked by `next`. nullptr when thieves made room
    /// meanwhile.
    sdk::task_cell* take_half(sdk::task_cell*& last) noexcept {
        std::array<sdk::task_cell*, capacity / 2> taken;
        std::uint32_t head = head_.load(std::memory_order_acquire);
        if (tail_.load(std::memory_order_relaxed) - head != capacity) return nullptr;
        for (std::uint32_t i = 0; i < taken.size(); ++i) taken[i] = slot(head + i).load(std::memory_order_relaxed);
        if (!head_.compare_exchange_strong(head, head + capacity / 2, std::memory_order_acq_rel)) return nullptr;
        for (std::uint32_t i = 0; i + 1 < taken.size(); ++i) taken[i]->next = taken[i + 1];
        taken.back()->next = nullptr;
        last = taken.back();
        return taken.front();
    }

    /// [owner of `to`, which is empty] Moves the older half, rounded up, to `to`, but for the oldest cell, which is
    /// returned. nullptr when there was nothing.
    sdk::task_cell* steal_into(run_queue& to) noexcept {
        std::uint32_t head = head_.load(std::memory_order_acquire);
        for (;;) {
            const std::uint32_t size = tail_.load(std::memory_order_acquire) - head;
            const std::uint32_t n = size - size / 2;
            if (n == 0) return nullptr;
            if (size > capacity) { // head is older than tail by a whole turn of the ring
                head = head_.load(std::memory_order_acquire);
                continue;
            }
            sdk::task_cell* const first = slot(head).load(std::memory_order_relaxed);
            const std::uint32_t base = to.tail_.load(std::memory_order_relaxed);
            for (std::uint32_t i = 1; i < n; ++i)
                to.slot(base + i - 1).store(slot(head + i).load(std::memory_order_relaxed), std::memory_order_relaxed);
            if (!head_.compare_exchange_weak(head, head + n, std::memory_order_acq_rel, std::memory_order_acquire))
                continue;
            if (n > 1) to.tail_.store(base + n - 1, std::memory_order_seq_cst);
            return first;
        }
    }

    /// [any-thread] An estimate, but never 0 while a cell that was pushed before is still there.
    std::uint32_t size() const noexcept {
        const std::uint32_t head = head_.load(std::memory_order_seq_cst);
        return tail_.load(std::memory_order_seq_cst) - head;
    }

  private:
    std::atomic<sdk::task_cell*>& slot(std::uint32_t i) noexcept { return slots_[i % capacity]; }

    alignas(64) std::atomic<std::uint32_t> head_{0}; // owner and thieves
    alignas(64) std::atomic<std::uint32_t> tail_{0}; // the owner
    std::array<std::atomic<sdk::task_cell*>, capacity> slots_{};
};

/// The queue of all workers, for tasks that other threads wake or spawn, and for the half of a full run_queue. Any
/// thread.
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
