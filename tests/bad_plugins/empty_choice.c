#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_ENUM, "mode", "Mode", "a", "a||b", 1, 0 }
#include "skeleton.h"
