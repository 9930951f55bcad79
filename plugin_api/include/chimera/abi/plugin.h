/** @file
 * chimera/abi/plugin.h: what the host gives to a plugin, and the one symbol that a plugin exports. C99.
 *
 * Example: the exported symbol. A useful get_factory returns a factory for CHM_FACTORY_EXECUTOR, CHM_FACTORY_TRANSPORT or
 * CHM_FACTORY_COORDINATOR.
 * @code{.c}
 * static const void *get_factory(const char *id) { return (void)id, NULL; }
 *
 * CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {
 *     .size = sizeof(chm_plugin_entry),
 *     .abi_major = CHM_ABI_MAJOR,
 *     .abi_minor = CHM_ABI_MINOR,
 *     .id = "my_pool",
 *     .version = "1.0",
 *     .description = "a pool of threads",
 *     .get_factory = get_factory,
 * };
 * @endcode */
#ifndef CHIMERA_ABI_PLUGIN_H
#define CHIMERA_ABI_PLUGIN_H

#include "option.h"

CHM_BEGIN

/** Levels of chm_host.log. */
enum {
    CHM_LOG_DEBUG = 0, /**< for the author of the plugin */
    CHM_LOG_INFO = 1,  /**< for a user who wants to know more */
    CHM_LOG_WARN = 2,  /**< something is wrong, and the run goes on */
    CHM_LOG_ERROR = 3  /**< something failed */
};

/** The host, as a plugin sees it. OWNERSHIP: the host's; valid from the start of init to the end of deinit. */
typedef struct chm_host {
    uint32_t size; /**< sizeof(chm_host) when the host was compiled */
    /** [any-thread] Prints one line for the user; the message has no newline. Not for every token: it may take a lock. */
    void (*log)(const struct chm_host *, int32_t level, chm_str message) CHM_NX;
    /** [any-thread] Returns an extension of the host, or NULL. The host has none so far. A plugin must work without any. */
    const void *(*get_extension)(const struct chm_host *, const char *id) CHM_NX;
} chm_host;

/** Flags of an entry. */
enum {
    CHM_PLUGIN_NO_TSAN = 1, /**< cannot run under ThreadSanitizer, because it switches stacks itself; tests skip it there */
    /** Since 1.1. Only one instance may be alive at a time. For plugins that embed a runtime which a process can have only
     * once (CPython, Node). create returns CHM_E_STATE while another instance is alive, and works again after destroy.
     * Threads, memory and descriptors of that runtime may stay until the process ends. */
    CHM_PLUGIN_SINGLE_INSTANCE = 2
};

/** The value of the exported symbol. Grows only at its tail. OWNERSHIP: static storage of the plugin. All strings are
 * NUL-terminated UTF-8 and live until the process ends. */
typedef struct chm_plugin_entry {
    uint32_t size;           /**< sizeof(chm_plugin_entry) when the plugin was compiled */
    uint32_t abi_major;      /**< CHM_ABI_MAJOR when the plugin was compiled. The host refuses another major than its own */
    uint32_t abi_minor;      /**< CHM_ABI_MINOR when the plugin was compiled. The host accepts any minor */
    uint32_t flags;          /**< CHM_PLUGIN_*; the host ignores unknown flags */
    const char *id;          /**< the name used in profiles: [a-z][a-z0-9_]* */
    const char *version;     /**< the plugin's own version */
    const char *description; /**< one line: what the plugin is */
    /** [main-thread & once] The first call to the plugin. An error rejects the plugin; deinit is then not called.
     * May be NULL. OWNERSHIP: the host outlives deinit, so its pointer may be kept. */
    chm_rc (*init)(const chm_host *, chm_error *) CHM_NX;
    /** [main-thread & initialized & once] Called after every instance is destroyed. May be NULL. Wakers may still be alive,
     * and be dropped later. */
    void (*deinit)(void) CHM_NX;
    /** [any-thread & initialized] Returns the factory with this id (CHM_FACTORY_*), or NULL. Accepts any string. Always
     * gives the same answer. */
    const void *(*get_factory)(const char *factory_id) CHM_NX;
} chm_plugin_entry;

/** A plugin exports exactly this symbol: CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = { ... };
 * Rationale: data, not a function, lets a tool describe a file before any of its code runs. */
#define CHM_ENTRY_SYMBOL "chimera_plugin_entry"

CHM_END_DECLS
#endif
