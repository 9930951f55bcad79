#define FACTORY_CREATE create_fails_silently
#include <chimera/abi.h>
static chm_rc create_fails_silently(const chm_host* host, const chm_config* config, chm_executor** out,
                                    chm_error* error);
#include "skeleton.h"

static chm_rc create_fails_silently(const chm_host* host, const chm_config* config, chm_executor** out,
                                    chm_error* error) {
    (void)host, (void)config, (void)out, (void)error;
    return CHM_E_NOMEM;
}
