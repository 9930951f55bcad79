#define FACTORY_CREATE create_fails
#include <chimera/abi.h>
static chm_rc create_fails(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error);
#include "skeleton.h"

static chm_rc create_fails(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    (void)host, (void)config, (void)out;
    say(error, "no more than zero workers are possible");
    return CHM_E_INVAL;
}
