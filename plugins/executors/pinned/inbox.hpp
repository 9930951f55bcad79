// Where other threads leave runnable tasks for a worker.
#pragma once

#include <atomic>
#include <utility>

#include "chimera/sdk/task_cell.hpp"

namespace chimera::pinned {

/// A list of cells that any thread may push to and one thread empties. Once closed it takes nothing more, and says so:
/// "closed" is a value of the list itself, so no push can slip in behind the close.
class inbox {
  public:
    enum class answer {
        first,  ///< it was empty: whoever empties it has to be told
        behind, ///< the one who found it empty tells
        closed  ///< not taken; the cell stays the caller's
    };

    /// [any thread]
    answer push(sdk::task_cell& cell) noexcept {
        sdk::task_cell* head = head_.load();
        do {
            if (head == closed_mark()) return answer::closed;
            cell.next = head;
        } while (!head_.compare_exchange_weak(head, &cell));
        return head ? answer::behind : answer::first;
    }
    /// [worker] Everything in it, in the order of arrival.
    sdk::task_cell* take() noexcept { return oldest_first(head_.exchange(nullptr)); }
    /// [once] The same, and nothing is taken from now on.
    sdk::task_cell* close() noexcept { return oldest_first(head_.exchange(closed_mark())); }
    /// [any thread] Sequentially consistent, as push is: a worker that announces its sleep and then finds this empty is
    /// seen by a thread that pushes and then looks for a sleeper.
    bool empty() const noexcept { return head_.load() == nullptr; }
    /// [any thread]
    bool closed() const noexcept { return head_.load() == closed_mark(); }

  private:
    /// An address that no cell has.
    sdk::task_cell* closed_mark() const noexcept {
        return reinterpret_cast<sdk::task_cell*>(const_cast<std::atomic<sdk::task_cell*>*>(&head_));
    }
    static sdk::task_cell* oldest_first(sdk::task_cell* newest) noexcept {
        sdk::task_cell* list = nullptr;
        while (newest) {
            sdk::task_cell* rest = std::exchange(newest->next, list);
            list = std::exchange(newest, rest);
        }
        return list;
    }

    std::atomic<sdk::task_cell*> head_{nullptr};
};

} // namespace chimera::pinned
