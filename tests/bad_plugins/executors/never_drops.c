/* A task that is done is forgotten. */
#define DROP forget
#include "around_executor.h"

static void forget(around_task* t) { (void)t; }
