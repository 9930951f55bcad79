/* Compiled with a later minor, in which an option has one more member: it loads. */
#define OWN_OPTIONS
#include <chimera/abi.h>
struct later_option {
    chm_option known;
    const char* unit;
};
static const struct later_option options[] = {
    {{sizeof(struct later_option), CHM_OPT_INT, "workers", "Threads", "2", NULL, 1, 64}, "threads"},
    {{sizeof(struct later_option), CHM_OPT_BOOL, "steal", "Take from others", "true", NULL, 1, 0}, ""},
};
#include "skeleton.h"
