/* A second session beside an open one is refused. */
#define OPEN open_alone
#define CLOSE_SESSION close_counted
#include "around_transport.h"

#include <stdatomic.h>

static atomic_int sessions;

static chm_rc open_alone(around_session* s, chm_error* err) {
    if (atomic_fetch_add(&sessions, 1) == 0) return open_inner(s, err);
    atomic_fetch_sub(&sessions, 1);
    return CHM_E_LIMIT;
}
static void close_counted(around_session* s) {
    close_session_inner(s);
    atomic_fetch_sub(&sessions, 1);
}
