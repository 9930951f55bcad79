#define ENTRY_SIZE 8
#include "skeleton.h"
