/* Offers only what no host asks for. */
#define FACTORY_ID "example.unknown.factory/1"
#include "skeleton.h"
