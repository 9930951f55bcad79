/* A worker that has nothing to do looks for work every millisecond. */
#define BETWEEN_LOOKS() usleep(1000)
#include "restless_worker.h"
