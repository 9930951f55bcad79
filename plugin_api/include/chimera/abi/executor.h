/** @file
 * chimera/abi/executor.h: a scheduler of tasks. C99.
 *
 * Example: the life of an executor, as the host sees it.
 * @code{.c}
 * static chm_rc run_one_task(chm_executor *e, chm_task *task, chm_error *error) {
 *     chm_rc rc = e->vt->spawn(e, task, NULL);
 *     if (rc < 0)
 *         task->vt->drop(task); // spawn failed, so the task is still ours
 *     else
 *         rc = e->vt->run(e, CHM_RUN_UNTIL_IDLE, error); // polls the task until it is done, and drops it
 *     e->vt->destroy(e);
 *     return rc;
 * }
 * @endcode */
#ifndef CHIMERA_ABI_EXECUTOR_H
#define CHIMERA_ABI_EXECUTOR_H

#include "plugin.h"
#include "task.h"

CHM_BEGIN

typedef struct chm_executor chm_executor;

/** Where a task should run. */
enum {
    CHM_HINT_ANY = 0,     /**< the executor chooses */
    CHM_HINT_CURRENT = 1, /**< on the worker that calls spawn, if the caller is a worker */
    CHM_HINT_WORKER = 2   /**< on worker number `worker`, modulo the number of workers */
};

/** Wishes for a task. The caller fills it. NULL and zeros mean the defaults. An executor may ignore a hint, and must not
 * refuse it: an unknown hint or a worker that does not exist is not an error. */
typedef struct chm_spawn_opts {
    uint32_t size;     /**< sizeof(chm_spawn_opts) when the caller was compiled */
    uint32_t hint;     /**< CHM_HINT_* */
    uint32_t worker;   /**< for CHM_HINT_WORKER */
    uint32_t reserved; /**< zero */
    chm_str name;      /**< for listings and traces. OWNERSHIP: borrowed for the call */
} chm_spawn_opts;

/** When run returns. */
enum {
    CHM_RUN_UNTIL_IDLE = 0, /**< when no task is left */
    CHM_RUN_UNTIL_STOP = 1  /**< only after stop: the mode of a foreign executor */
};

/** Flags of an executor's table. */
enum {
    CHM_EXECUTOR_PINNED = 1 /**< a task is always polled by the same thread */
};

/** Functions of an executor. Frozen: new behaviour comes as an extension. */
typedef struct chm_executor_vt {
    uint32_t size;  /**< sizeof(chm_executor_vt) when the executor was compiled */
    uint32_t flags; /**< CHM_EXECUTOR_* */

    /** [any-thread] Takes a task, also from inside polls and drops. Polls nothing itself. Once run has begun, the executor
     * polls the task for the first time without a wake. opts may be NULL.
     * Errors: CHM_E_NOMEM. Returns CHM_E_CANCELED after stop. May also return it after run has ended.
     * OWNERSHIP: after success the task is the executor's. After an error it stays the caller's. */
    chm_rc (*spawn)(chm_executor *, chm_task *, const chm_spawn_opts *) CHM_NX;

    /** [run-thread & once] Polls tasks until `mode` says to return. Blocks the caller, whose thread may serve as a worker.
     * CHM_OK: no task is left. CHM_E_CANCELED: stop was called, and every task that was alive has been dropped. Any other
     * error: run could not begin. It polled nothing, and the tasks stay until destroy.
     * After run has returned, no other thread of the executor touches a task. */
    chm_rc (*run)(chm_executor *, uint32_t mode, chm_error *) CHM_NX;

    /** [any-thread] Makes run return soon: polls in progress finish, and no poll begins. Does not wait for that. Works
     * before, during and after run, any number of times. A run that begins after stop drops all tasks and returns
     * CHM_E_CANCELED. */
    void (*stop)(chm_executor *) CHM_NX;

    /** [run-thread & !running] Drops tasks that never ran, joins all threads, and frees everything except the memory that
     * outstanding wakers need. */
    void (*destroy)(chm_executor *) CHM_NX;

    /** [any-thread] Returns an extension (CHM_EXT_*), or NULL. Accepts any string. Always gives the same answer. */
    const void *(*get_extension)(chm_executor *, const char *id) CHM_NX;
} chm_executor_vt;

/** A scheduler. OWNERSHIP: the caller's of create, who destroys it. The executor owns the tasks that it has taken. */
struct chm_executor {
    const chm_executor_vt *vt; /**< never NULL, never changed */
};

/** chm_plugin_entry.get_factory(CHM_FACTORY_EXECUTOR) returns a const chm_executor_factory *. */
#define CHM_FACTORY_EXECUTOR "chimera.executor.factory/1"

/** Makes executors. OWNERSHIP: static storage of the plugin. */
typedef struct chm_executor_factory {
    uint32_t size;             /**< sizeof(chm_executor_factory) when the plugin was compiled */
    uint32_t n_options;        /**< number of options. 0: options may be NULL */
    const chm_option *options; /**< the options of an instance. OWNERSHIP: static storage of the plugin */
    /** [any-thread & initialized] Makes an executor that does not run yet. Errors: CHM_E_INVAL for a bad option, or any
     * other code with a message. After an error *out is unchanged.
     * OWNERSHIP: *out is the caller's until destroy. The host outlives it. */
    chm_rc (*create)(const chm_host *, const chm_config *, chm_executor **out, chm_error *) CHM_NX;
} chm_executor_factory;

CHM_END_DECLS
#endif
