#include "worker.hpp"

namespace chimera::fiber {

void worker::interrupt() noexcept { reactor.interrupt(); }
void worker::loop() noexcept { run_fibers(*this); }

sdk::task_cell* worker::front() const noexcept { return queue().front(); }
void worker::pop() noexcept { queue().pop(); }
void worker::push_back(sdk::task_cell& cell) noexcept { push(cell); }
bool worker::poll(sdk::task_cell& cell) noexcept { return pinned::worker::poll(cell); }

void worker::collect(bool look) noexcept {
    if (look) reactor.turn(0);
    take_mail();
}

void worker::wait(int timeout_ms) noexcept {
    waiting_.exchange(true);
    if (!mail() && !ended()) reactor.turn(timeout_ms);
    waiting_.exchange(false);
}

bool worker::ended() const noexcept { return life().ended(); }
std::uint32_t worker::event_interval() const noexcept { return event_interval_; }

} // namespace chimera::fiber
