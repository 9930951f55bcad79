#define ENTRY_GET_FACTORY NULL
#include "skeleton.h"
