/* A registration stays, with its waker. */
#define IO_DEREGISTER keep
#include "around_executor.h"

static void keep(chm_reactor* r, chm_io* io) { (void)r, (void)io; }
