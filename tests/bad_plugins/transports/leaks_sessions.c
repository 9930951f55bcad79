/* A session that is closed keeps its connection. */
#define CLOSE_SESSION keep
#include "around_transport.h"

static void keep(around_session* s) { (void)s; }
