/* Nothing is wrong with it. */
#include "around_receive.h"
