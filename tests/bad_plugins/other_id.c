/* The file is not called as the plugin. */
#define ENTRY_ID "somebody_else"
#include "skeleton.h"
