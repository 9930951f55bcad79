/** @file
 * chimera/abi/timing.h: when things happened inside an exchange: an optional extension of a transport. C99. */
#ifndef CHIMERA_ABI_TIMING_H
#define CHIMERA_ABI_TIMING_H

#include "transport.h"

CHM_BEGIN

/** chm_transport_vt.get_extension(CHM_EXT_TIMING) gives a const chm_timing_ext *. */
#define CHM_EXT_TIMING "chimera.transport.timing/1"

/** When things happened, in CLOCK_MONOTONIC nanoseconds; 0 means "did not happen" or "not known". */
typedef struct chm_exchange_timing {
    uint32_t size;          /**< sizeof(chm_exchange_timing) as the caller was compiled, and set by it; nothing behind it is
                               written */
    uint32_t retries;       /**< transparent retries on a connection that the server had closed */
    uint32_t reused;        /**< 1: this exchange went over a connection that had served another */
    uint32_t reserved;      /**< zero */
    uint64_t connected_ns;  /**< the connection was established (reused: before start) */
    uint64_t sent_ns;       /**< the last byte of the request was handed to the kernel */
    uint64_t first_byte_ns; /**< the first byte of the response was received: by the kernel if it says when, else by the
                               transport */
    uint64_t readable_ns;   /**< head or piece that was handed over last: when it, or the oldest byte of a piece that was
                               gathered, could be read, where that is known better than by the wake that led to the
                               poll (the kernel's receive time, which may lie before earlier polls; the end of a wait
                               inside a poll) */
    /** Since 1.1. Head or piece that was handed over last: for how long, from readable_ns on, the transport was busy with
     * bytes of other exchanges that stood before it on a shared connection (head-of-line blocking). In nanoseconds. */
    uint64_t behind_others_ns;
} chm_exchange_timing;

/** How an exchange's timing is asked for. */
typedef struct chm_timing_ext {
    uint32_t size;  /**< sizeof(chm_timing_ext) as its owner was compiled */
    uint32_t flags; /**< zero */
    /** [task's worker, until the exchange is closed] Fills *out. A few loads: cheap enough to be asked for every piece. */
    void (*read)(const chm_exchange *, chm_exchange_timing *out) CHM_NX;
} chm_timing_ext;

CHM_END_DECLS
#endif
