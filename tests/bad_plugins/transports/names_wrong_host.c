/* The Host header is not the one of the URL. */
#define OPEN open_localhost
#include "around_transport.h"

static chm_rc open_localhost(around_session* s, chm_error* err) {
    static const char numbers[] = "http://127.0.0.1:";
    if (s->args.base_url.len < sizeof numbers || memcmp(s->args.base_url.ptr, numbers, sizeof numbers - 1) != 0)
        return open_inner(s, err);
    char text[256];
    const chm_str url = s->args.base_url;
    const int n = snprintf(text, sizeof text, "http://localhost:%.*s", (int)(url.len - sizeof numbers + 1),
                           url.ptr + sizeof numbers - 1);
    s->args.base_url = (chm_str){text, (size_t)n};
    const chm_rc rc = open_inner(s, err);
    s->args.base_url = url;
    return rc;
}
