#define ENTRY_INIT crash
#include <chimera/abi.h>
static chm_rc crash(const chm_host* host, chm_error* error);
#include "skeleton.h"
#include <stdlib.h>

static chm_rc crash(const chm_host* host, chm_error* error) {
    (void)host, (void)error;
    abort();
}
