#include "coordination/activity.hpp"

#include <chimera/sdk/error.hpp>

namespace chimera::host {

bool activity::poll(chm_waker* waker) {
    sdk::error_buffer said;
    bool ends = false;
    /// True: this wait is over, with this result.
    const auto is = [&](happening what, chm_rc rc) {
        if (rc == CHM_PENDING) return false;
        if (rc == CHM_END) { // messages and events end together, and both are read to their end
            ends = true;
            return false;
        }
        happened_ = what;
        if (rc < 0) failure_ = said.exception(rc);
        return true;
    };
    message.size = sizeof message;
    if (is(happening::message, raw_->vt->poll_receive(raw_, waker, &message, said.abi()))) return true;
    event.size = sizeof event;
    if (is(happening::event, raw_->vt->poll_event(raw_, waker, &event, said.abi()))) return true;
    decision.size = sizeof decision;
    if (what_.proposal != 0 &&
        is(happening::decision, raw_->vt->poll_decision(raw_, waker, what_.proposal, &decision, said.abi())))
        return true;
    if (ends) {
        happened_ = happening::ended;
        return true;
    }
    if (!what_.barrier.empty() &&
        is(happening::barrier, raw_->vt->poll_barrier(raw_, waker, sdk::str(what_.barrier), said.abi())))
        return true;
    if (pause_ && pause_->poll(waker)) {
        happened_ = happening::due;
        return true;
    }
    return false;
}

} // namespace chimera::host
