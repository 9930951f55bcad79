/** @file
 * chimera/abi/bridge.h: I/O for an executor that has no reactor: an optional extension of an executor. C99. */
#ifndef CHIMERA_ABI_BRIDGE_H
#define CHIMERA_ABI_BRIDGE_H

#include "transport.h"

CHM_BEGIN

/** chm_executor_vt.get_extension(CHM_EXT_BRIDGE) gives a const chm_bridge_ext *. An executor that offers a bridge needs a
 * foreign executor with a reactor, and the profile names it in [foreign]. */
#define CHM_EXT_BRIDGE "chimera.bridge/1"

/** How an executor puts itself between a transport and a foreign reactor. */
typedef struct chm_bridge_ext {
    uint32_t size;  /**< sizeof(chm_bridge_ext) as its owner was compiled */
    uint32_t flags; /**< zero */
    /** [any thread, after both executors are created] A transport in *out whose sessions are used on `self`'s workers while
     * their I/O happens on `foreign`. The reactor given to open() is disregarded: it is the foreign one's. Ownership: *out is
     * the caller's; inner and foreign stay the caller's and outlive *out. Errors: CHM_E_NOSYS (foreign has no reactor),
     * CHM_E_AFFINITY (its reactor is affine and this bridge's mode would use it from another thread). */
    chm_rc (*wrap)(chm_executor *self, chm_executor *foreign, chm_transport *inner, chm_transport **out, chm_error *) CHM_NX;
} chm_bridge_ext;

CHM_END_DECLS
#endif
