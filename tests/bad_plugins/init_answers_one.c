#define ENTRY_INIT init_answers_one
#include <chimera/abi.h>
static chm_rc init_answers_one(const chm_host* host, chm_error* error);
#include "skeleton.h"

static chm_rc init_answers_one(const chm_host* host, chm_error* error) {
    the_host = host;
    say(error, "one is no error");
    return 1;
}
