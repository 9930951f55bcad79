/* A timer that is destroyed goes on. */
#define TIMER_DESTROY keep
#include "around_executor.h"

static void keep(chm_reactor* r, chm_timer* t) { (void)r, (void)t; }
