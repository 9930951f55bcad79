#define ENTRY_ID NULL
#include "skeleton.h"
