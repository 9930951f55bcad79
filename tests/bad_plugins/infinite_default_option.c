#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_FLOAT, "share", "Share", "inf", NULL, 1, 0 }
#include "skeleton.h"
