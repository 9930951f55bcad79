#define FACTORY_CREATE create_without_table
#include <chimera/abi.h>
static chm_rc create_without_table(const chm_host* host, const chm_config* config, chm_executor** out,
                                   chm_error* error);
#include "skeleton.h"

static chm_executor without_table;

static chm_rc create_without_table(const chm_host* host, const chm_config* config, chm_executor** out,
                                   chm_error* error) {
    (void)host, (void)config, (void)error;
    *out = &without_table;
    return CHM_OK;
}
