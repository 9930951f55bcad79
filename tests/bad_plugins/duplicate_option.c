#define OPTIONS                                                                                                        \
    {sizeof(chm_option), CHM_OPT_BOOL, "twice", "Once", "true", NULL, 1, 0}, {                                         \
        sizeof(chm_option), CHM_OPT_BOOL, "twice", "Again", "true", NULL, 1, 0                                         \
    }
#include "skeleton.h"
