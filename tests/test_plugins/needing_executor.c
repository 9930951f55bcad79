/* Nothing is wrong with it. It cannot be loaded without the library that it brings along, in lib beside it. */
int from_needed_library(void);
static inline int needs(void) { return from_needed_library(); }
#define ENTRY_INIT init_with_library
#include <chimera/abi.h>
static chm_rc init_with_library(const chm_host* host, chm_error* error);
#include "skeleton.h"

static chm_rc init_with_library(const chm_host* host, chm_error* error) {
    (void)error;
    the_host = host;
    return needs() == 7 ? CHM_OK : CHM_E_FAIL;
}
