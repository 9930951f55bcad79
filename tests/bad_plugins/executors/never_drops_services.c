/* A service that is left when run ends is forgotten. */
#define DROP drop_tasks
#include "around_executor.h"

static void drop_tasks(around_task* t) {
    if (!t->service) drop_inner(t);
}
