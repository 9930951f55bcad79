#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_ENUM, "mode", "Mode", "a|b", "a|b|c", 1, 0 }
#include "skeleton.h"
