#define OPTIONS                                                                                                        \
    {sizeof(chm_option), CHM_OPT_INT, "pool", "Threads", "1", NULL, 1, 64}, {                                          \
        sizeof(chm_option), CHM_OPT_INT, "pool.size", "Threads", "1", NULL, 1, 64                                      \
    }
#include "skeleton.h"
