// The task that drives a station on its executor's reactor: reads, times out, writes, once a turn.
#pragma once

#include "quic/station.hpp"

#include <chimera/abi/executor.h>
#include <chimera/abi/reactor.h>

#include <memory>

namespace chimera::quic {

/// A task for the executor that the reactor belongs to. It ends when the station is closed and has said goodbye. The
/// caller's until a spawn succeeds.
chm_task* make_driver(std::shared_ptr<station>, chm_reactor*);

} // namespace chimera::quic
