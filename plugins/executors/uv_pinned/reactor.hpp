// "chimera.reactor/1" on libuv: each worker's descriptors and timers, on that worker's loop.
#pragma once

#include <uv.h>

#include "../pinned/roster.hpp"
#include "chimera/abi/reactor.h"

namespace chimera::uv_pinned {

/// The reactor of one executor. Affine: every function works on the calling worker's own loop and refuses other
/// threads.
class reactor final : public chm_reactor {
  public:
    explicit reactor(const pinned::roster& roll) noexcept;

  private:
    const pinned::roster& roll_; // names the executor: a worker belongs to it when it has the same roster

    friend struct reactor_functions;
};

/// [the loop's thread, at its end] Closes and frees an io or a timer that nobody deregistered.
void close_leaked(uv_handle_t* handle) noexcept;

} // namespace chimera::uv_pinned
