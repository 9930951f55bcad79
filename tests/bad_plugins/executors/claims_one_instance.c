/* It says that a process has one instance of it, and makes as many as it is asked for. */
#define ENTRY_FLAGS CHM_PLUGIN_SINGLE_INSTANCE
#include "around_executor.h"
