/* Nothing is wrong with it. */
#include "around_bridge.h"
