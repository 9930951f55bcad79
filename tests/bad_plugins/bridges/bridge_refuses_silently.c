/* A foreign executor without a reactor is refused with the wrong code and no message. */
#define WRAP wrap_silently
#include "around_bridge.h"

static chm_rc wrap_silently(around_executor* e, chm_executor* foreign, chm_transport* transport, chm_transport** out,
                            chm_error* err) {
    if (foreign->vt->get_extension(foreign, CHM_EXT_REACTOR) == NULL) return CHM_E_INVAL;
    return wrap_inner(e, foreign, transport, out, err);
}
