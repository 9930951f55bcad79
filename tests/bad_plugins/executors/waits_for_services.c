/* A service is a task like any other: run until idle waits for it. */
#define SPAWN_SERVICE spawn_inner
#include "around_executor.h"
