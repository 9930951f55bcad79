/* An IPv6 literal is taken for a bad URL. */
#define OPEN open_ipv4
#include "around_transport.h"

static chm_rc open_ipv4(around_session* s, chm_error* err) {
    return memchr(s->args.base_url.ptr, '[', s->args.base_url.len) ? CHM_E_INVAL : open_inner(s, err);
}
