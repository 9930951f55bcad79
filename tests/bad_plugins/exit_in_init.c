/* Ends the process, and says that all went well. */
#define ENTRY_INIT leave
#include <chimera/abi.h>
static chm_rc leave(const chm_host* host, chm_error* error);
#include "skeleton.h"
#include <stdlib.h>

static chm_rc leave(const chm_host* host, chm_error* error) {
    (void)host, (void)error;
    exit(0);
}
