// "chimera.reactor/1" on libuv: each worker's descriptors and timers, on that worker's loop.
#pragma once

#include <uv.h>

#include "chimera/abi/reactor.h"
#include "chimera/sdk/executor_lifecycle.hpp"

namespace chimera::uv_pinned {

/// The reactor of one executor. Affine: every function works on the calling worker's own loop and refuses other
/// threads.
class reactor final : public chm_reactor {
  public:
    reactor() noexcept;
    /// [before any task] The executor whose reactor this is.
    void attach(const sdk::lifecycle_state& life) noexcept { life_ = &life; }

  private:
    const sdk::lifecycle_state* life_ = nullptr; // names the executor: its workers have the same

    friend struct reactor_functions;
};

/// [the loop's thread, at its end] Closes and frees an io or a timer that nobody deregistered.
void close_leaked(uv_handle_t* handle) noexcept;

} // namespace chimera::uv_pinned
