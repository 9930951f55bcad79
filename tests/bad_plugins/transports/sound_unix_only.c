/* Nothing is wrong with it: it offers Unix sockets only. */
#define OPEN open_unix_only
#include "around_transport.h"

#include <strings.h>

static chm_rc open_unix_only(around_session* s, chm_error* err) {
    const chm_str url = s->args.base_url;
    static const char http[] = "http://";
    if (url.len < sizeof http - 1 || strncasecmp(url.ptr, http, sizeof http - 1) != 0) return open_inner(s, err);
    if (err != NULL && err->text != NULL && err->cap > 0)
        snprintf(err->text, err->cap, "'%.*s': this transport offers http+unix only", (int)url.len, url.ptr);
    return CHM_E_NOSYS;
}
