/* A number that was received from is refused for ever. */
#define CLOSE close_and_remember
#include "around_receive.h"

static void close_and_remember(chm_reactor* r, around_receive* x) {
    const int number = x->number;
    close_inner(r, x);
    atomic_store(&receiving[number], 1);
}
