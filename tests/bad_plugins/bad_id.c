#define ENTRY_ID "Not-An-Id"
#include "skeleton.h"
