/* Exports nothing, and crashes when somebody loads it all the same. */
#include <stdlib.h>

__attribute__((constructor)) static void crash(void) { abort(); }
