#define ENTRY_INIT hang
#include <chimera/abi.h>
static chm_rc hang(const chm_host* host, chm_error* error);
#include "skeleton.h"
#include <unistd.h>

static chm_rc hang(const chm_host* host, chm_error* error) {
    (void)host, (void)error;
    for (;;) pause();
    return CHM_OK;
}
