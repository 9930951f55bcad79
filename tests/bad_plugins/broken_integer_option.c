#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", "1.5", NULL, 1, 64 }
#include "skeleton.h"
