#define ENTRY_DESCRIPTION NULL
#include "skeleton.h"
