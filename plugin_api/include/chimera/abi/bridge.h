/** @file
 * chimera/abi/bridge.h: I/O for an executor without a reactor. Optional extension of an executor. C99.
 *
 * Example: a transport whose tasks run on one executor, and whose I/O happens on another.
 * @code{.c}
 * static chm_rc bridged(chm_executor *self, chm_executor *foreign, chm_transport *inner, chm_transport **out) {
 *     const chm_bridge_ext *bridge = self->vt->get_extension(self, CHM_EXT_BRIDGE);
 *     return bridge ? bridge->wrap(self, foreign, inner, out, NULL) : CHM_E_NOSYS;
 * }
 * @endcode */
#ifndef CHIMERA_ABI_BRIDGE_H
#define CHIMERA_ABI_BRIDGE_H

#include "transport.h"

CHM_BEGIN

/** chm_executor_vt.get_extension(CHM_EXT_BRIDGE) returns a const chm_bridge_ext *. An executor that offers a bridge needs a
 * foreign executor with a reactor. The profile names it in [foreign]. */
#define CHM_EXT_BRIDGE "chimera.bridge/1"

/** How an executor puts itself between a transport and a foreign reactor. */
typedef struct chm_bridge_ext {
    uint32_t size;  /**< sizeof(chm_bridge_ext) when the executor was compiled */
    uint32_t flags; /**< zero */
    /** [any-thread] Makes a transport whose sessions are used on the workers of `self`, while their I/O happens on
     * `foreign`. open ignores the reactor in its arguments, and uses that of `foreign`.
     * Errors: CHM_E_NOSYS (foreign has no reactor), CHM_E_AFFINITY (its reactor is affine, and this bridge would use it
     * from another thread).
     * OWNERSHIP: *out is the caller's. inner and foreign stay the caller's, and outlive *out. */
    chm_rc (*wrap)(chm_executor *self, chm_executor *foreign, chm_transport *inner, chm_transport **out, chm_error *) CHM_NX;
} chm_bridge_ext;

CHM_END_DECLS
#endif
