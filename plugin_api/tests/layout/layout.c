#include "layout.h"

int chimera_layout_in_c(void);
int chimera_layout_in_c(void) { return 0; }
