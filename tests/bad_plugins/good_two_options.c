/* Nothing is wrong with it; it has two options. */
#define OPTIONS                                                                                                        \
    {sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", "1", NULL, 1, 64}, {                                       \
        sizeof(chm_option), CHM_OPT_ENUM, "mode", "How it goes about it", "fair", "fair|greedy", 1, 0                  \
    }
#include "skeleton.h"
