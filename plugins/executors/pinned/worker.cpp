#include "worker.hpp"

#include <chimera/sdk/text.hpp>

namespace chimera::pinned {

bool worker::poll(sdk::task_cell& cell) noexcept {
    const sdk::task_cell::outcome outcome = life_.poll(cell);
    if (outcome == sdk::task_cell::outcome::again) runnable_.push(cell);
    return outcome != sdk::task_cell::outcome::done;
}

void worker::poll_some() noexcept {
    for (unsigned polls = 0; polls < polls_per_turn && !life_.ended(); ++polls) {
        sdk::task_cell* const cell = runnable_.pop();
        if (!cell) break;
        poll(*cell);
    }
}

void worker::complain() const noexcept {
    if (host_) host_->log(host_, CHM_LOG_WARN, sdk::str("a file descriptor or timer was still registered at the end"));
}

} // namespace chimera::pinned
