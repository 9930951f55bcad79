/* Of a later minor of the contract: it loads. */
#define ENTRY_MINOR (CHM_ABI_MINOR + 1)
#include "skeleton.h"
