#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", NULL, NULL, 1, 64 }
#include "skeleton.h"
