/* Exports nothing. */
#define NO_ENTRY
#include "skeleton.h"
