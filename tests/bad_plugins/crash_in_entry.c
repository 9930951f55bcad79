/* The id is no address that anything lies at. */
#define ENTRY_ID ((const char*)16)
#include "skeleton.h"
