#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_ENUM, "mode", "Mode", "a", "a|b", 1, 0 }
#define FACTORY_CREATE refuse_b
#include <chimera/abi.h>
static chm_rc refuse_b(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error);
#include "skeleton.h"

static chm_rc refuse_b(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    for (size_t i = 0; i < config->n; ++i)
        if (config->kv[i].value.ptr[0] == 'b') return CHM_E_NOSYS;
    return create(host, config, out, error);
}
