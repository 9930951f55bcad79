#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_STRING, "mode", "Mode", "a", "a|b", 1, 0 }
#include "skeleton.h"
