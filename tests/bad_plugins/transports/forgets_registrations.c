/* A connection that is closed stays registered. */
#define DEREGISTER keep
#include "around_reactor.h"

static void keep(chm_reactor* r, around_io* io) { (void)r, (void)io; }
