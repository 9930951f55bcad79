#define ENTRY_MAJOR (CHM_ABI_MAJOR + 1)
#include "skeleton.h"
