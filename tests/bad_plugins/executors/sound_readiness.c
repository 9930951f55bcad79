/* What the mutants of readiness are built around: it has no defect. */
#include "own_readiness.h"
