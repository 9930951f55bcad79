#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_INT, "workers.2nd", "Threads", "1", NULL, 1, 64 }
#include "skeleton.h"
