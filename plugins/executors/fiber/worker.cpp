#include "worker.hpp"

#include "fiber_scheduler.hpp"

namespace chimera::fiber {

void worker::deliver(sdk::task_cell& cell) noexcept {
    inbox_.push(cell);
    // Queued first, then the look; wait() announces first, then looks at the inbox. One of the two sees the other.
    if (waiting_.load() && waiting_.exchange(false)) reactor.interrupt();
}

sdk::task_cell* worker::front() const noexcept { return runnable_.front(); }
void worker::pop() noexcept { runnable_.pop(); }

bool worker::poll(sdk::task_cell& cell) noexcept {
    switch (cell.run()) {
    case sdk::task_cell::outcome::again:
        runnable_.push(cell);
        return true;
    case sdk::task_cell::outcome::idle:
        return true;
    case sdk::task_cell::outcome::done:
        break;
    }
    const bool counted = !cell.service();
    live.remove(cell);
    if (counted) owner_.retired();
    return false;
}

void worker::collect(bool look) noexcept {
    if (look) reactor.turn(0);
    inbox_.pop_into(runnable_);
}

void worker::wait(int timeout_ms) noexcept {
    waiting_.exchange(true);
    if (inbox_.empty() && !ended()) reactor.turn(timeout_ms);
    waiting_.exchange(false);
}

bool worker::ended() const noexcept { return owner_.ended(); }
std::uint32_t worker::event_interval() const noexcept { return owner_.event_interval(); }

void worker::release_queued() noexcept {
    inbox_.pop_into(runnable_);
    while (sdk::task_cell* cell = runnable_.pop()) cell->release();
}

} // namespace chimera::fiber
