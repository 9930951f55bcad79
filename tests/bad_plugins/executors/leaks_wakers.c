/* A clone of a waker holds one reference too many. */
#define CLONE retain_twice
#include "around_executor.h"

static void retain_twice(around_task* t) {
    retain(t);
    retain(t);
}
