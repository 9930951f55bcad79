/* Calls what nobody defines. */
#define ENTRY_INIT init_elsewhere
#include <chimera/abi.h>
chm_rc init_elsewhere(const chm_host* host, chm_error* error);
#include "skeleton.h"
