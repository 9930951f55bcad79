/* The idle limit runs from the head to the end of the body. */
#define CREATE create_limited
#define POLL_CHUNK limit
#include "around_transport.h"

#include <time.h>

static double limit_ms; /* one for all: 0 is none */

static chm_rc create_limited(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* err) {
    for (size_t i = 0; i < config->n; ++i)
        if (config->kv[i].key.len == 15 && memcmp(config->kv[i].key.ptr, "idle_timeout_ms", 15) == 0)
            limit_ms = atof(config->kv[i].value.ptr);
    return create_inner(host, config, out, err);
}
static chm_rc limit(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const size_t ms = (size_t)now.tv_sec * 1000 + (size_t)now.tv_nsec / 1000000;
    if (x->given == 0) x->given = ms;
    if (limit_ms > 0 && (double)(ms - x->given) > limit_ms) return CHM_E_TIMEOUT;
    return poll_chunk_inner(x, w, view, err);
}
