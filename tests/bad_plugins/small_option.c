#define OPTIONS                                                                                                        \
    { 8, CHM_OPT_INT, "workers", "Threads", "1", NULL, 1, 64 }
#include "skeleton.h"
