/** @file
 * chimera/abi/service.h: tasks that serve other tasks, and the numbers of workers: an optional extension of an executor. C99.
 * Since 1.1. */
#ifndef CHIMERA_ABI_SERVICE_H
#define CHIMERA_ABI_SERVICE_H

#include "executor.h"

CHM_BEGIN

/** chm_executor_vt.get_extension(CHM_EXT_SERVICE) gives a const chm_service_ext *. */
#define CHM_EXT_SERVICE "chimera.executor.service/1"

/** What a transport needs that shares a connection among the sessions of a worker: somebody who reads the connection while
 * none of these sessions is polled, and the number of the worker whose connection it is.
 *
 * Example: session 1 has closed, session 2 is in a pause of its agent, and the server sends a PING. The connection's service
 * is woken, and answers it. */
typedef struct chm_service_ext {
    uint32_t size;  /**< sizeof(chm_service_ext) as its owner was compiled */
    uint32_t flags; /**< zero */

    /** [any thread, until destroy] How many workers there are: at least 1, and always the same. */
    uint32_t (*workers)(chm_executor *) CHM_NX;

    /** [any thread, until destroy] The number of the worker that calls, from 0. CHM_E_AFFINITY: the caller is none of this
     * executor's. A task of a CHM_EXECUTOR_PINNED executor gets the same number in all its polls and in its drop. */
    chm_rc (*worker_here)(chm_executor *) CHM_NX;

    /** [any thread, until destroy] chm_executor_vt.spawn for a service: a task for which run until idle does not wait. It is
     * polled like any other. When no other task is left, run drops the services where stop would, and returns CHM_OK. A
     * service may spawn tasks as long as another task is alive.
     * With CHM_HINT_WORKER a CHM_EXECUTOR_PINNED executor polls it on that very worker. Errors: as spawn. */
    chm_rc (*spawn_service)(chm_executor *, chm_task *, const chm_spawn_opts *) CHM_NX;
} chm_service_ext;

CHM_END_DECLS

#endif
