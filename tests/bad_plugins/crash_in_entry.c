/* The id does not point at memory. */
#define ENTRY_ID ((const char*)16)
#include "skeleton.h"
