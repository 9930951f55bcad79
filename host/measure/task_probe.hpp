// Watches a task from outside: when it was woken, when it was polled, how long each poll held its worker. Works on any
// executor, because all that it touches is the contract's task and waker.
#pragma once

#include "measure/recorder.hpp"

#include <chimera/abi/task.h>

namespace chimera::host {

/// Wraps a task so that the recorder sees its polls, and so does its record's log where there is one now. The result
/// owns `inner`; the recorder must outlive it. The caller owns the result until a spawn succeeds.
chm_task* make_task_probe(chm_task* inner, recorder&);

} // namespace chimera::host
