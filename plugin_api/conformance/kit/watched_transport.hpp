// A transport around the one under test, which sees to it that whoever waits will be woken.
#pragma once

#include "chimera/abi/transport.h"
#include "probe.hpp"

namespace chimera::conformance {

/// Passes every call on, and reports polls of an exchange that answer 0 and keep no waker. Takes over `inner`:
/// destroying the one destroys the other.
chm_transport* watch(chm_transport* inner, ledger& to);

} // namespace chimera::conformance
