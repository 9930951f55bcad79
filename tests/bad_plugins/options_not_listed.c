#define FACTORY_OPTIONS NULL
#include "skeleton.h"
