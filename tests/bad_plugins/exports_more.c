/* It exports a symbol beside the entry, which may be taken for another plugin's. */
#include "skeleton.h"

CHM_EXPORT int shared_by_accident(void);
int shared_by_accident(void) { return 0; }
