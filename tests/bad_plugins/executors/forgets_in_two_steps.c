/* A clear loads and stores: what is reported in between is erased. */
#define FORGET load_and_store
#include "own_readiness.h"

static void load_and_store(watched* w, uint32_t seen, uint32_t bits) {
    const uint32_t now = atomic_load_explicit(&w->readiness, memory_order_relaxed);
    if (now >> 8 == seen >> 8) atomic_store_explicit(&w->readiness, now & ~bits, memory_order_relaxed);
}
