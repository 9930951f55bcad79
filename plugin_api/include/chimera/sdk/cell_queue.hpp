// For authors of executors: unbounded queues of cells, linked through the cells themselves, so that nothing is
// allocated to queue a task. A queue holds the queue's reference of each cell in it.
#pragma once

#include <atomic>
#include <utility>

#include "task_cell.hpp"

namespace chimera::sdk {

/// First in, first out. One thread. Gives nothing back when it is destroyed: empty it first.
class cell_list {
  public:
    /// To the end.
    void push(task_cell& cell) noexcept {
        cell.next = nullptr;
        append(cell, cell);
    }
    /// first..last are linked; last.next is nullptr.
    void append(task_cell& first, task_cell& last) noexcept {
        (head_ ? tail_->next : head_) = &first;
        tail_ = &last;
    }
    /// The next to be popped, nullptr when there is none.
    task_cell* front() const noexcept { return head_; }
    /// nullptr when there is none.
    task_cell* pop() noexcept {
        task_cell* cell = head_;
        if (cell) head_ = cell->next;
        return cell;
    }

  private:
    task_cell* head_ = nullptr;
    task_cell* tail_ = nullptr;
};

/// What other threads queue for a worker. Pushed by any thread, emptied by one; no lock.
class cell_inbox {
  public:
    /// [any thread]
    void push(task_cell& cell) noexcept {
        task_cell* head = head_.load(std::memory_order_relaxed);
        do {
            cell.next = head;
        } while (!head_.compare_exchange_weak(head, &cell, std::memory_order_seq_cst, std::memory_order_relaxed));
    }
    /// [one thread] Moves everything to the end of `to`, in the order in which it came.
    void pop_into(cell_list& to) noexcept {
        if (empty()) return;
        task_cell* const last = head_.exchange(nullptr, std::memory_order_acquire);
        task_cell* first = nullptr;
        for (task_cell* cell = last; cell != nullptr;) {
            task_cell* const earlier = std::exchange(cell->next, first);
            first = std::exchange(cell, earlier);
        }
        if (first) to.append(*first, *last);
    }
    /// [any thread] Sequentially consistent, as push is: a thread that announces that it will sleep and then finds
    /// this empty is seen by a thread that pushes and then looks for sleepers.
    bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }

  private:
    std::atomic<task_cell*> head_{nullptr}; // the latest, linked to the earlier ones
};

} // namespace chimera::sdk
