#define ENTRY_INIT init_fails
#include <chimera/abi.h>
static chm_rc init_fails(const chm_host* host, chm_error* error);
#include "skeleton.h"

static chm_rc init_fails(const chm_host* host, chm_error* error) {
    the_host = host;
    say(error, "the moon is in the wrong phase");
    return CHM_E_NOSYS;
}
