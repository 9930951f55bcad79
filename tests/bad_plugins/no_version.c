#define ENTRY_VERSION NULL
#include "skeleton.h"
