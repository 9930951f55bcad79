// "chimera.reactor/1" on io_uring: each worker's descriptors and timers, on that worker's ring.
#pragma once

#include "chimera/abi/reactor.h"
#include "chimera/sdk/executor_lifecycle.hpp"

namespace chimera::uring {

class worker;

/// The reactor of one executor. Affine: every function works on the calling worker's own ring and refuses other
/// threads.
class reactor final : public chm_reactor {
  public:
    reactor() noexcept;
    /// [before any task] The executor whose reactor this is.
    void attach(const sdk::lifecycle_state& life) noexcept { life_ = &life; }

    /// The calling worker, if it is one of this reactor's executor.
    worker* here() const noexcept;
    /// [before any task] Whether the workers can receive by completion: they all can, or none.
    void offer_receives(bool yes) noexcept { receives_ = yes; }
    bool receives() const noexcept { return receives_; }

  private:
    const sdk::lifecycle_state* life_ = nullptr; // names the executor: its workers have the same
    bool receives_ = false;
};

} // namespace chimera::uring
