/* Nothing is wrong with it. */
#include "around_transport.h"
