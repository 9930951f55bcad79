/* Whatever an option is called or set to, an instance is made. */
#include "skeleton.h"
