#define ENTRY_DESCRIPTION "An \033[31mexecutor"
#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_INT, "workers", "Threads \033]0;title\a", "1", NULL, 1, 64 }
#include "skeleton.h"
