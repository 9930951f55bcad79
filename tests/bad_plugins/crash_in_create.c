#define FACTORY_CREATE crash
#include <chimera/abi.h>
static chm_rc crash(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error);
#include "skeleton.h"
#include <stdlib.h>

static chm_rc crash(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    (void)host, (void)config, (void)out, (void)error;
    abort();
}
