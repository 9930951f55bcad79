/** @file
 * chimera/abi/service.h: tasks that serve other tasks, and the numbers of workers. Optional extension of an executor.
 * C99. Since 1.1.
 *
 * Example: each worker has one connection. A service reads it while no session is polled.
 * @code{.c}
 * static chm_rc read_here(chm_executor *e, chm_task *reader) {
 *     const chm_service_ext *services = e->vt->get_extension(e, CHM_EXT_SERVICE);
 *     if (services == NULL) return CHM_E_NOSYS;
 *     const chm_rc here = services->worker_here(e);
 *     if (here < 0) return here;
 *     const chm_spawn_opts opts = {.size = sizeof opts, .hint = CHM_HINT_WORKER, .worker = (uint32_t)here};
 *     return services->spawn_service(e, reader, &opts);
 * }
 * @endcode */
#ifndef CHIMERA_ABI_SERVICE_H
#define CHIMERA_ABI_SERVICE_H

#include "executor.h"

CHM_BEGIN

/** chm_executor_vt.get_extension(CHM_EXT_SERVICE) returns a const chm_service_ext *. */
#define CHM_EXT_SERVICE "chimera.executor.service/1"

/** For transports whose sessions share a connection. Somebody must read the connection while none of these sessions is
 * polled. Example: session 1 has closed, the agent of session 2 pauses, and the server sends a PING. The PING wakes the
 * connection's service, which answers it. */
typedef struct chm_service_ext {
    uint32_t size;  /**< sizeof(chm_service_ext) when the executor was compiled */
    uint32_t flags; /**< zero */

    /** [any-thread] Returns the number of workers: at least 1, and always the same. */
    uint32_t (*workers)(chm_executor *) CHM_NX;

    /** [any-thread] Returns the number of the calling worker, from 0. CHM_E_AFFINITY: the caller is not a worker of this
     * executor. A task of a CHM_EXECUTOR_PINNED executor gets the same number in all its polls and in its drop. */
    chm_rc (*worker_here)(chm_executor *) CHM_NX;

    /** [any-thread] Spawns a service: a task like any other, except that run until idle does not wait for it. When no other
     * task is left, run drops the services where stop would drop them, and returns CHM_OK. A service may spawn tasks while
     * another task is alive. With CHM_HINT_WORKER a CHM_EXECUTOR_PINNED executor polls the service on exactly that worker.
     * Errors and OWNERSHIP: as chm_executor_vt.spawn. */
    chm_rc (*spawn_service)(chm_executor *, chm_task *, const chm_spawn_opts *) CHM_NX;
} chm_service_ext;

CHM_END_DECLS

#endif
