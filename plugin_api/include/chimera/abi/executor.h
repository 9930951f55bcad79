/** @file
 * chimera/abi/executor.h: a scheduler of tasks. C99. */
#ifndef CHIMERA_ABI_EXECUTOR_H
#define CHIMERA_ABI_EXECUTOR_H

#include "plugin.h"
#include "task.h"

CHM_BEGIN

typedef struct chm_executor chm_executor;

/** Where a task should run. */
enum {
    CHM_HINT_ANY = 0,     /**< the executor chooses */
    CHM_HINT_CURRENT = 1, /**< the worker that calls spawn, where it is one */
    CHM_HINT_WORKER = 2   /**< worker number `worker`, modulo how many there are */
};

/** Wishes for a task. Filled by the caller; a NULL pointer or zeros mean the defaults. A hint may be disregarded, never
 * refused: neither an unknown hint nor a worker that does not exist is an error. */
typedef struct chm_spawn_opts {
    uint32_t size;     /**< sizeof(chm_spawn_opts) as the caller was compiled */
    uint32_t hint;     /**< CHM_HINT_* */
    uint32_t worker;   /**< for CHM_HINT_WORKER */
    uint32_t reserved; /**< zero */
    chm_str name;      /**< for listings and traces; copied if kept */
} chm_spawn_opts;

/** When run returns. */
enum {
    CHM_RUN_UNTIL_IDLE = 0, /**< return when no task is left */
    CHM_RUN_UNTIL_STOP = 1  /**< return only after stop: the mode of a foreign runtime */
};

/** Flags of an executor's table. */
enum {
    CHM_EXECUTOR_PINNED = 1 /**< a task is always polled by the same thread */
};

/** What an executor can do. Frozen: a later minor's functions come as an extension. */
typedef struct chm_executor_vt {
    uint32_t size;  /**< sizeof(chm_executor_vt) as its owner was compiled */
    uint32_t flags; /**< CHM_EXECUTOR_* */

    /** [any thread, until destroy] Takes the task. On success the executor owns it and will poll it once, without a wake,
     * after run has begun; nothing is polled before that. On an error the caller keeps it:
     * CHM_E_CANCELED once stop was called, and allowed once run has ended; CHM_E_NOMEM. A task may spawn others from inside its
     * poll. opts may be NULL. */
    chm_rc (*spawn)(chm_executor *, chm_task *, const chm_spawn_opts *) CHM_NX;

    /** [one thread, once] Polls tasks until mode says so; blocks the caller, which may serve as a worker. CHM_OK: no task is
     * left. CHM_E_CANCELED: stop was called; every task still alive has been dropped before run returns. Other errors:
     * run could not begin, nothing was polled, and the tasks stay until destroy. When run returns, no other thread of this
     * executor touches a task any more. */
    chm_rc (*run)(chm_executor *, uint32_t mode, chm_error *) CHM_NX;

    /** [any thread; before, during and after run; any number of times] Ends run soon: polls in progress are finished, none
     * is begun. Does not wait. A run that begins after stop drops all tasks and returns CHM_E_CANCELED. */
    void (*stop)(chm_executor *) CHM_NX;

    /** [the thread that called run, or any thread where run was never called; not during run] Drops tasks that never ran,
     * joins all threads, frees everything but what outstanding wakers need. */
    void (*destroy)(chm_executor *) CHM_NX;

    /** [any thread, until destroy] CHM_EXT_*, or NULL. Any string must be accepted. The answer never changes. */
    const void *(*get_extension)(chm_executor *, const char *id) CHM_NX;
} chm_executor_vt;

/** A scheduler. Ownership: whoever had it created destroys it, and tasks of which it took possession go with it. */
struct chm_executor {
    const chm_executor_vt *vt; /**< never NULL; the same as long as the object lives */
};

/** chm_plugin_entry.get_factory(CHM_FACTORY_EXECUTOR) gives a const chm_executor_factory *. */
#define CHM_FACTORY_EXECUTOR "chimera.executor.factory/1"

/** Makes executors. Ownership: static storage of the plugin. */
typedef struct chm_executor_factory {
    uint32_t size;             /**< sizeof(chm_executor_factory) as its owner was compiled */
    uint32_t n_options;        /**< how many options there are; 0: options may be NULL */
    const chm_option *options; /**< the options that instances understand; static storage of the plugin */
    /** [any thread, after init] A new executor, not running, in *out. Errors: CHM_E_INVAL for a bad option, others with
     * a message; *out is then untouched. Ownership: the caller's until destroy. host outlives it. */
    chm_rc (*create)(const chm_host *, const chm_config *, chm_executor **out, chm_error *) CHM_NX;
} chm_executor_factory;

CHM_END_DECLS
#endif
