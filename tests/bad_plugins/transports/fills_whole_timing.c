/* A timing is filled whatever its size. */
#define READ_TIMING fill
#include "around_transport.h"

static void fill(const around_exchange* x, chm_exchange_timing* out) {
    chm_exchange_timing all = {.size = sizeof all};
    read_timing_inner(x, &all);
    all.size = out->size;
    *out = all;
}
