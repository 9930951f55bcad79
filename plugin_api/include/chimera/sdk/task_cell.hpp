// For authors of executors: a spawned task with its state, its reference count and its waker in one allocation; queues
// of such tasks; and the list of all that are not done.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include "../abi/executor.h"

namespace chimera::sdk {

class task_cell;

/// A task_cell calls this when its task becomes runnable. It is the part of an executor that must outlive every waker,
/// so it is reference counted by its cells and its executor. sdk::executor_lifecycle has one; derive from it only if
/// you do not use that class.
class scheduler {
  public:
    scheduler() = default;
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    /// [any-thread] Queues the cell and makes sure that a worker will look.
    /// Owns one reference to the cell, which goes to the caller of task_cell::run() or release(). Must not poll, nor
    /// wake under a lock.
    ///
    /// Lifetime: only the cell's reference keeps this scheduler alive during the call. As soon as the cell is in a
    /// queue, a worker may poll it, drop it and give that reference back. So after queueing do not touch *this without
    /// a reference of your own. Either retain() before queueing and release() as the last thing, or queue and notify
    /// under a lock that the worker needs, too. Example of the mistake: push under a mutex, unlock, then notify a
    /// condition variable that is a member.
    virtual void schedule(task_cell& cell) noexcept = 0;

    /// [any-thread] Adds a reference.
    void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
    /// [any-thread] Gives a reference back.
    void release() noexcept {
        if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

  protected:
    virtual ~scheduler() = default;

  private:
    std::atomic<std::uint32_t> refs_{1};
};

/// A spawned task. The cell is its own waker: cloning a waker is one increment, and its identity is the cell's address.
///
/// State bits:
///   scheduled  in a queue, or about to be: set by the wake that queues it, cleared when its poll begins
///   running    inside poll; a wake now only sets `scheduled`, and the end of the poll sees it
///   done       polled for the last time; wakes do nothing
/// References: one for the executor's list of live tasks, one for the queue while scheduled or running, one for each
/// waker.
class task_cell final : public chm_waker {
  public:
    /// Result of a poll.
    enum class outcome {
        idle,  ///< waits for a wake; the queue's reference is gone
        again, ///< woken during its poll: queue it again (the queue's reference stays)
        done   ///< dropped; the queue's reference is gone, the live list still has its own
    };

    /// A cell that is scheduled, with a reference for the live list and one for the queue. nullptr: out of memory, the
    /// task stays the caller's.
    static task_cell* create(scheduler& owner, chm_task* task, std::uint32_t worker = 0,
                             bool service = false) noexcept {
        return new (std::nothrow) task_cell(owner, task, worker, service);
    }

    /// [worker; has taken the cell out of a queue] Polls once.
    outcome run() noexcept {
        state_.exchange(running, std::memory_order_acq_rel);
        if (task_->vt->poll(task_, this) != CHM_PENDING) {
            drop_task();
            release();
            return outcome::done;
        }
        if (state_.fetch_and(~running, std::memory_order_acq_rel) & scheduled) return outcome::again;
        release();
        return outcome::idle;
    }

    /// [worker on which the task may be polled; not during its poll] Drops the task unless it is dropped already.
    void drop_task() noexcept {
        if (chm_task* task = std::exchange(task_, nullptr)) {
            task->vt->drop(task);
            state_.exchange(done, std::memory_order_acq_rel);
        }
    }

    /// [any-thread] Adds a reference.
    void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
    /// [any-thread] Gives a reference back.
    void release() noexcept {
        if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    /// The worker that the task belongs to, where tasks are pinned.
    std::uint32_t worker() const noexcept { return worker_; }
    /// It is a service (abi/service.h): idle does not wait for it, so the executor does not count it.
    bool service() const noexcept { return service_; }

    task_cell* next = nullptr; ///< link for the queue that holds the cell; the queue's alone
    void* context = nullptr;   ///< the executor's own, such as the fiber that polls the task

    /// [any-thread: the one that gives back the last reference] Called with `context`, unless that is nullptr, when the
    /// cell is freed: after the task was dropped, before the scheduler's reference is given back. Set it if the
    /// executor owns the context. A waker may keep the cell alive for longer than the executor.
    void (*context_gone)(void* context) noexcept = nullptr;

  private:
    static constexpr std::uint32_t scheduled = 1, running = 2, done = 4;

    task_cell(scheduler& owner, chm_task* task, std::uint32_t worker, bool service) noexcept
        : chm_waker{&waker_vt}, task_(task), owner_(owner), worker_(worker), service_(service) {
        owner_.retain();
    }
    ~task_cell() {
        if (context && context_gone) context_gone(context);
        owner_.release();
    }

    static task_cell& self(chm_waker* w) noexcept { return *static_cast<task_cell*>(w); }

    /// The read-modify-write happens even when the task is already scheduled: it publishes what the waking thread wrote
    /// to the poll that is about to begin.
    bool claim() noexcept { return state_.fetch_or(scheduled, std::memory_order_acq_rel) == 0; }

    /// Out of line: a wake inside the task's own poll, which is the frequent one, does not get here.
    [[gnu::noinline]] void schedule() noexcept { owner_.schedule(*this); }

    static chm_waker* waker_clone(chm_waker* w) noexcept {
        self(w).retain();
        return w;
    }
    static void waker_wake(chm_waker* w) noexcept {
        task_cell& cell = self(w);
        if (cell.claim())
            cell.schedule(); // the waker's reference becomes the queue's
        else
            cell.release();
    }
    static void waker_wake_by_ref(chm_waker* w) noexcept {
        task_cell& cell = self(w);
        if (cell.claim()) {
            cell.retain();
            cell.schedule();
        }
    }
    static void waker_drop(chm_waker* w) noexcept { self(w).release(); }

    static constexpr chm_waker_vt waker_vt{waker_clone, waker_wake, waker_wake_by_ref, waker_drop};

    std::atomic<std::uint32_t> state_{scheduled};
    std::atomic<std::uint32_t> refs_{2};
    chm_task* task_;
    scheduler& owner_;
    std::uint32_t worker_;
    bool service_;

    friend class live_tasks;
    task_cell* live_prev_ = nullptr;
    task_cell* live_next_ = nullptr;
};

/// A queue of runnable tasks: first in, first out. Linked through the cells, so nothing is allocated to queue a task.
/// Holds the queue's reference of each cell in it, and gives back the rest when it is destroyed. One thread.
class cell_list {
  public:
    cell_list() noexcept = default;
    cell_list(const cell_list&) = delete;
    cell_list& operator=(const cell_list&) = delete;
    ~cell_list() {
        while (task_cell* cell = pop()) cell->release();
    }

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

/// Tasks that other threads have made runnable for one worker. Pushed by any thread, emptied by one; no lock. Gives
/// back what is left when it is destroyed.
class cell_inbox {
  public:
    cell_inbox() noexcept = default;
    cell_inbox(const cell_inbox&) = delete;
    cell_inbox& operator=(const cell_inbox&) = delete;
    ~cell_inbox() {
        cell_list rest;
        pop_into(rest);
    }

    /// [any-thread] True: it was empty, so tell the worker. Otherwise the thread that found it empty does so.
    bool push(task_cell& cell) noexcept {
        task_cell* head = head_.load(std::memory_order_relaxed);
        do {
            cell.next = head;
        } while (!head_.compare_exchange_weak(head, &cell, std::memory_order_seq_cst, std::memory_order_relaxed));
        return head == nullptr;
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
    /// [any-thread] Sequentially consistent, as push is. A worker announces that it will sleep and then finds this
    /// empty; another thread pushes and then looks whether the worker sleeps: one of the two sees the other.
    bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }

  private:
    std::atomic<task_cell*> head_{nullptr}; // the latest, linked to the earlier ones
};

/// The tasks of a worker that are not done, to be dropped when run ends. Any thread. On cache lines of its own, because
/// an executor has an array of them.
class alignas(64) live_tasks {
  public:
    /// Takes over the cell's reference for the live list.
    void add(task_cell& cell) noexcept {
        std::lock_guard lock(mutex_);
        cell.live_prev_ = nullptr;
        cell.live_next_ = head_;
        if (head_) head_->live_prev_ = &cell;
        head_ = &cell;
        ++count_;
    }
    /// Gives the reference back. Returns true when this was the last task.
    bool remove(task_cell& cell) noexcept {
        bool last = false;
        {
            std::lock_guard lock(mutex_);
            if (cell.live_prev_)
                cell.live_prev_->live_next_ = cell.live_next_;
            else
                head_ = cell.live_next_;
            if (cell.live_next_) cell.live_next_->live_prev_ = cell.live_prev_;
            last = --count_ == 0;
        }
        cell.release();
        return last;
    }
    /// True while every task is done.
    bool empty() const noexcept {
        std::lock_guard lock(mutex_);
        return count_ == 0;
    }
    /// [worker; nothing is being polled] Drops every task. A task that is spawned by a drop is dropped too.
    void drop_all() noexcept {
        while (task_cell* cell = first()) {
            cell->drop_task();
            remove(*cell);
        }
    }

  private:
    task_cell* first() const noexcept {
        std::lock_guard lock(mutex_);
        return head_;
    }

    mutable std::mutex mutex_;
    task_cell* head_ = nullptr;
    std::size_t count_ = 0;
};

} // namespace chimera::sdk
