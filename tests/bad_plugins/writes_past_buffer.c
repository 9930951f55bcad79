/* Its message is as long as it likes, whatever room there is for it. */
#define FACTORY_CREATE refuse_loudly
#include <chimera/abi.h>
static chm_rc refuse_loudly(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error);
#include "skeleton.h"

static chm_rc refuse_loudly(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    static const char text[] = "no_such";
    (void)host, (void)out, (void)config;
    if (error != NULL && error->text != NULL) memcpy(error->text, text, sizeof text);
    return CHM_E_INVAL;
}
