/* A socket that is received from already is accepted. */
#define START start_again
#include "around_receive.h"

static chm_rc start_again(chm_reactor* r, int number, around_receive** out) {
    if (number >= 0) atomic_store(&receiving[number], 0);
    return start_inner(r, number, out);
}
