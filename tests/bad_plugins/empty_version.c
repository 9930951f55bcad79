/* Nobody can say which build it was. */
#define ENTRY_VERSION ""
#include "skeleton.h"
