/* A recheck only forgets. */
#define IO_CLEAR clear_only
#include "around_executor.h"

static void clear_only(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    (void)how;
    io_clear_inner(r, io, seen, bits, CHM_IO_DRAINED);
}
