#define FACTORY_CREATE NULL
#include "skeleton.h"
