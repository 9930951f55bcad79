// Queues of cells, linked through the cells themselves: nothing is allocated to queue a task.
#pragma once

#include <atomic>
#include <utility>

#include <chimera/sdk/task_cell.hpp>

namespace chimera::fiber {

/// First in, first out. One thread. Holds the queue's reference of each cell in it.
class cell_list {
  public:
    void push(sdk::task_cell& cell) noexcept {
        cell.next = nullptr;
        append(cell, cell);
    }
    /// first..last are linked; last.next is nullptr.
    void append(sdk::task_cell& first, sdk::task_cell& last) noexcept {
        (head_ ? tail_->next : head_) = &first;
        tail_ = &last;
    }
    sdk::task_cell* front() const noexcept { return head_; }
    sdk::task_cell* pop() noexcept {
        sdk::task_cell* cell = head_;
        if (cell) head_ = cell->next;
        return cell;
    }

  private:
    sdk::task_cell* head_ = nullptr;
    sdk::task_cell* tail_ = nullptr;
};

/// What other threads queue for a worker. Pushed by any thread, emptied by one; no lock.
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

} // namespace chimera::fiber
