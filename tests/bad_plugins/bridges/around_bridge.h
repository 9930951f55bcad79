/* An executor with a bridge, around a sound one. A plugin of this folder names a function of its own in place of what
 * it does wrong, then includes this and defines the function. SOUND_EXECUTOR: the file of the sound one. */
#include <chimera/abi.h>
#define EXTENSION bridge_extension
#include "../executors/around_executor.h"
#include "../transports/around_transport.h"

/* What a sound bridge does. */
static inline chm_rc wrap_inner(around_executor* e, chm_executor* foreign, chm_transport* transport,
                                chm_transport** out, chm_error* err) {
    const chm_bridge_ext* inner = e->inner->vt->get_extension(e->inner, CHM_EXT_BRIDGE);
    chm_transport* outer = NULL;
    const chm_rc rc = inner->wrap(e->inner, foreign, transport, &outer, err);
    if (rc == CHM_OK) *out = around(outer);
    return rc;
}

/* What a plugin of this folder does instead. */
#ifndef WRAP
#define WRAP wrap_inner
#endif
static chm_rc WRAP(around_executor* e, chm_executor* foreign, chm_transport* transport, chm_transport** out,
                   chm_error* err);

static chm_rc bridge_wrap(chm_executor* e, chm_executor* foreign, chm_transport* transport, chm_transport** out,
                          chm_error* err) {
    return WRAP((around_executor*)e, foreign, transport, out, err);
}
static const chm_bridge_ext bridge = {sizeof bridge, 0, bridge_wrap};

static const void* bridge_extension(around_executor* e, const char* id) {
    return strcmp(id, CHM_EXT_BRIDGE) == 0 ? &bridge : extension_inner(e, id);
}
