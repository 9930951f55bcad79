// The kit's own executor as a plugin, to show that the cases can be passed.
#include "conformance/kit/reference_executor.hpp"
#include "chimera/sdk/plugin.hpp"

CHIMERA_EXECUTOR_PLUGIN("reference_executor", "1.0", "one thread, one queue and epoll",
                        chimera::conformance::reference_executor);
