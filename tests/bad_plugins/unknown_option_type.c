#define OPTIONS                                                                                                        \
    { sizeof(chm_option), 99, "workers", "Threads", "1", NULL, 1, 64 }
#include "skeleton.h"
