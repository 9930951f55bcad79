#define ENTRY_DEINIT crash
static void crash(void);
#include "skeleton.h"
#include <stdlib.h>

static void crash(void) { abort(); }
