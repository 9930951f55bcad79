#define TABLE_SIZE 16
#include "skeleton.h"
