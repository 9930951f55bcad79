/* Its reactor says that it is for its workers only, and takes whatever it is given by other threads. */
#define REACTOR_FLAGS 0
#include "around_receive.h"
