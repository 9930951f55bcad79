/* Of a later minor of the contract: it loads. */
#define ENTRY_MINOR 99u
#include "skeleton.h"
