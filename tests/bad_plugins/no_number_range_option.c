#include <math.h>
#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_FLOAT, "share", "Share", "1", NULL, (double)NAN, 1 }
#include "skeleton.h"
