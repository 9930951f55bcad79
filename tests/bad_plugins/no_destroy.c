#define TABLE_DESTROY NULL
#include "skeleton.h"
