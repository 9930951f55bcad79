/* Linked without -z nodelete: a waker that outlives it points into nothing. */
#include "skeleton.h"
