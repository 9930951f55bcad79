/* Stop does nothing. */
#define STOP do_nothing
#include "around_executor.h"

static void do_nothing(around_executor* e) { (void)e; }
