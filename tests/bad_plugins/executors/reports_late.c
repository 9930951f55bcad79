/* Readiness is reported 5 ms late. */
#define BEFORE_REPORTS rest
#include "own_readiness.h"

static void rest(void) { usleep(5000); }
