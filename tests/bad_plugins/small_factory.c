#define FACTORY_SIZE 8
#include "skeleton.h"
