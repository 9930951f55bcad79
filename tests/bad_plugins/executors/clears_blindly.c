/* A clear forgets readiness whatever was reported since. */
#define IO_CLEAR clear_any
#include "around_executor.h"

static void clear_any(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    for (uint32_t tick = seen; tick < seen + 0x1000U; tick += 0x100U) io_clear_inner(r, io, tick, bits, how);
}
