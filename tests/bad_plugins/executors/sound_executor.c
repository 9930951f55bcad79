/* Nothing is wrong with it. */
#include "around_executor.h"
