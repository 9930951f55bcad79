// Unbounded queues of cells, linked through the cells themselves: nothing is allocated to queue a task.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>

#include <chimera/sdk/task_cell.hpp>

namespace chimera::thread_pool {

/// First in, first out. One thread. Holds the queue's reference of each cell in it.
class cell_list {
  public:
    void push(sdk::task_cell& cell) noexcept {
        cell.next = nullptr;
        append(cell, cell);
    }
    /// first..last are linked; last->next is nullptr.
    void append(sdk::task_cell& first, sdk::task_cell& last) noexcept {
        (head_ ? tail_->next : head_) = &first;
        tail_ = &last;
    }
    sdk::task_cell* pop() noexcept {
        sdk::task_cell* cell = head_;
        if (cell) head_ = cell->next;
        return cell;
    }
    bool empty() const noexcept { return head_ == nullptr; }

  private:
    sdk::task_cell* head_ = nullptr;
    sdk::task_cell* tail_ = nullptr;
};

/// The queue of all workers: what foreign threads wake and spawn, and what a full run_queue sheds. Any thread.
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
    void pop_into(cell_list& to, Limit limit) noexcept {
        if (empty()) return;
        std::lock_guard lock(mutex_);
        std::size_t size = size_.load(std::memory_order_relaxed);
        for (std::size_t n = limit(size); n > 0 && size > 0; --n, --size) to.push(*cells_.pop());
        size_.store(size, std::memory_order_seq_cst);
    }
    bool empty() const noexcept { return size_.load(std::memory_order_seq_cst) == 0; }

  private:
    std::mutex mutex_;
    cell_list cells_;                  // guarded by mutex_
    std::atomic<std::size_t> size_{0}; // written under mutex_
};

/// What other threads queue for a pinned worker. Pushed by any thread, emptied by one; no lock.
class inbox {
  public:
    void push(sdk::task_cell& cell) noexcept {
        sdk::task_cell* head = head_.load(std::memory_order_relaxed);
        do {
            cell.next = head;
        } while (!head_.compare_exchange_weak(head, &cell, std::memory_order_seq_cst, std::memory_order_relaxed));
    }
    /// Moves everything to the end of `to`, in the order in which it came.
    void pop_into(cell_list& to) noexcept {
        if (empty()) return;
        sdk::task_cell* const last = head_.exchange(nullptr, std::memory_order_acquire);
        sdk::task_cell* first = nullptr;
        for (sdk::task_cell* cell = last; cell != nullptr;) {
            sdk::task_cell* const earlier = std::exchange(cell->next, first);
            first = std::exchange(cell, earlier);
        }
        if (first) to.append(*first, *last);
    }
    bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }

  private:
    std::atomic<sdk::task_cell*> head_{nullptr}; // the latest, linked to the earlier ones
};

} // namespace chimera::thread_pool
