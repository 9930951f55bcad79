// "chimera.reactor/1" on io_uring: each worker's descriptors and timers, on that worker's ring.
#pragma once

#include "../pinned/roster.hpp"
#include "chimera/abi/reactor.h"

namespace chimera::uring {

class worker;

/// The reactor of one executor. Affine: every function works on the calling worker's own ring and refuses other
/// threads.
class reactor final : public chm_reactor {
  public:
    explicit reactor(const pinned::roster& roll) noexcept;

    /// The calling worker, if it is one of this reactor's executor.
    worker* here() const noexcept;
    /// [before any task] Whether the workers can receive by completion: they all can, or none.
    void offer_receives(bool yes) noexcept { receives_ = yes; }
    bool receives() const noexcept { return receives_; }

  private:
    const pinned::roster& roll_; // names the executor: a worker belongs to it when it has the same roster
    bool receives_ = false;
};

} // namespace chimera::uring
