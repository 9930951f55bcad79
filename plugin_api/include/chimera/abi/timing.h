/** @file
 * chimera/abi/timing.h: when the steps of an exchange happened. Optional extension of a transport. C99.
 *
 * Example: time from the end of the request to the first byte of the response. 0: not known.
 * @code{.c}
 * static uint64_t time_to_first_byte_ns(const chm_timing_ext *timing, const chm_exchange *x) {
 *     chm_exchange_timing t = {.size = sizeof t};
 *     timing->read(x, &t);
 *     return t.sent_ns && t.first_byte_ns > t.sent_ns ? t.first_byte_ns - t.sent_ns : 0;
 * }
 * @endcode */
#ifndef CHIMERA_ABI_TIMING_H
#define CHIMERA_ABI_TIMING_H

#include "transport.h"

CHM_BEGIN

/** chm_transport_vt.get_extension(CHM_EXT_TIMING) returns a const chm_timing_ext *. */
#define CHM_EXT_TIMING "chimera.transport.timing/1"

/** When the steps of an exchange happened, in CLOCK_MONOTONIC nanoseconds. 0: it did not happen, or nobody knows when. */
typedef struct chm_exchange_timing {
    uint32_t size;          /**< sizeof(chm_exchange_timing) when the caller was compiled. The caller sets it; the callee
                               writes nothing behind it */
    uint32_t retries;       /**< how often the request was sent again, because the server had closed the used connection */
    uint32_t reused;        /**< 1: the connection had served another exchange before */
    uint32_t reserved;      /**< zero */
    uint64_t connected_ns;  /**< the connection was established. On a reused connection: before start */
    uint64_t sent_ns;       /**< the kernel took the last byte of the request */
    uint64_t first_byte_ns; /**< the kernel received the first byte of the response; if it does not say when: the transport */
    /** The oldest byte of the head or piece that was returned last became readable. Set only if the transport knows a
     * better time for it than the wake before the poll: the kernel's receive time, or the end of a wait inside the poll.
     * May lie before earlier polls. */
    uint64_t readable_ns;
    /** Since 1.1. A duration in nanoseconds, for the head or piece that was returned last: how long after readable_ns the
     * transport was busy with bytes of other exchanges on a shared connection (head-of-line blocking). */
    uint64_t behind_others_ns;
} chm_exchange_timing;

/** How to ask for the timing of an exchange. */
typedef struct chm_timing_ext {
    uint32_t size;  /**< sizeof(chm_timing_ext) when the transport was compiled */
    uint32_t flags; /**< zero */
    /** [task-worker] Fills *out. Costs a few loads: cheap enough for every piece. */
    void (*read)(const chm_exchange *, chm_exchange_timing *out) CHM_NX;
} chm_timing_ext;

CHM_END_DECLS
#endif
