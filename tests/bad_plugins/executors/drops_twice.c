/* A task is dropped twice. */
#define DROP drop_again
#include "around_executor.h"

static void drop_again(around_task* t) {
    drop_inner(t);
    drop_inner(t);
}
