/* An exchange that is closed early goes on. */
#define CLOSE close_if_ended
#include "around_transport.h"

static void close_if_ended(around_exchange* x) {
    if (x->ended) close_inner(x);
}
