#include "worker.hpp"

#include <thread>
#include <utility>

#include "chimera/sdk/text.hpp"

namespace chimera::pinned {

namespace {
thread_local worker* current_worker = nullptr;
} // namespace

worker* worker::current() noexcept { return current_worker; }

void worker::schedule(sdk::task_cell& cell) noexcept {
    if (current_worker == this) return append(cell);
    // Announced first, so that close() waits for whoever got a cell in; after the last line `this` may be gone.
    senders_.fetch_add(1);
    const inbox::answer answer = inbox_.push(cell);
    if (answer == inbox::answer::first) knock();
    senders_.fetch_sub(1);
    if (answer == inbox::answer::closed) cell.release(); // holds a reference to this worker until here
}

void worker::nudge() noexcept {
    senders_.fetch_add(1);
    if (!inbox_.closed()) knock();
    senders_.fetch_sub(1);
}

void worker::take_mail() noexcept {
    for (sdk::task_cell* cell = inbox_.take(); cell;) append(*std::exchange(cell, cell->next));
}

void worker::append(sdk::task_cell& cell) noexcept {
    cell.next = nullptr;
    (last_ ? last_->next : first_) = &cell;
    last_ = &cell;
}

sdk::task_cell* worker::pop() noexcept {
    sdk::task_cell* cell = first_;
    if (cell && !(first_ = cell->next)) last_ = nullptr;
    return cell;
}

void worker::poll_some() noexcept {
    for (unsigned polls = 0; polls < polls_per_turn && !roll_.over(); ++polls) {
        sdk::task_cell* cell = pop();
        if (!cell) break;
        switch (cell->run()) {
        case sdk::task_cell::outcome::idle:
            break;
        case sdk::task_cell::outcome::again:
            append(*cell);
            break;
        case sdk::task_cell::outcome::done: {
            const bool counted = !cell->service();
            tasks_.remove(*cell);
            if (counted) roll_.leave();
            break;
        }
        }
    }
}

void worker::work() noexcept {
    worker* const outer = std::exchange(current_worker, this);
    loop();
    tasks_.drop_all();
    current_worker = outer; // wakes go to the inbox from here on, and close() ends that
    close();
}

void worker::close() noexcept {
    if (std::exchange(closed_, true)) return;
    tasks_.drop_all();
    while (sdk::task_cell* cell = pop()) cell->release();
    for (sdk::task_cell* cell = inbox_.close(); cell;) std::exchange(cell, cell->next)->release();
    while (senders_.load() != 0) std::this_thread::yield();
    close_loop();
}

void worker::complain() const noexcept {
    if (host_) host_->log(host_, CHM_LOG_WARN, sdk::str("a file descriptor or timer was still registered at the end"));
}

} // namespace chimera::pinned
