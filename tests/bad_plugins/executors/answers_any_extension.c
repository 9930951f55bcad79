/* An extension that nobody knows is answered with the reactor. */
#define EXTENSION answer
#include "around_executor.h"

static const void* answer(around_executor* e, const char* id) {
    (void)id;
    return &e->reactor;
}
