/* What a session had stays allocated. */
#define CLOSE_SESSION leak
#include "around_transport.h"

void* volatile last; /* not static: the allocation is kept */

static void leak(around_session* s) {
    last = malloc(4096);
    close_session_inner(s);
}
