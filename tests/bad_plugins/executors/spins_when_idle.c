/* A worker that has nothing to do looks for work without end. */
#define BETWEEN_LOOKS() ((void)0)
#include "restless_worker.h"
