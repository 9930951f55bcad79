/** @file
 * chimera/abi/plugin.h: what the host gives every plugin, and the one symbol that a plugin exports. C99. */
#ifndef CHIMERA_ABI_PLUGIN_H
#define CHIMERA_ABI_PLUGIN_H

#include "option.h"

CHM_BEGIN

/** Levels of chm_host.log. */
enum {
    CHM_LOG_DEBUG = 0, /**< for the author of the plugin */
    CHM_LOG_INFO = 1,  /**< for a user who wants to know more */
    CHM_LOG_WARN = 2,  /**< something is not as it should be, and the run goes on */
    CHM_LOG_ERROR = 3  /**< something failed */
};

/** The host as a plugin sees it. Ownership: the host's; valid from init to the end of deinit. */
typedef struct chm_host {
    uint32_t size; /**< sizeof(chm_host) as its owner was compiled */
    /** [any thread] One line for the user, without a newline. Not for the path of a token: it may take a lock. */
    void (*log)(const struct chm_host *, int32_t level, chm_str message) CHM_NX;
    /** [any thread] An extension of the host, or NULL. 1.0 has none: a plugin has to do without any. */
    const void *(*get_extension)(const struct chm_host *, const char *id) CHM_NX;
} chm_host;

/** Flags of an entry. */
enum {
    CHM_PLUGIN_NO_TSAN = 1, /**< cannot run under ThreadSanitizer (switches stacks by itself); tests skip it there */
    /** Since 1.1. One instance may be alive at a time, because it embeds a runtime that a process has once (CPython, Node):
     * create answers CHM_E_STATE while another is alive, and works again after its destroy. Threads, memory and descriptors
     * of that runtime may stay until the process ends. */
    CHM_PLUGIN_SINGLE_INSTANCE = 2
};

/** The value of the exported symbol. Frozen but for its tail. Ownership: static storage of the plugin, all strings
 * NUL-terminated UTF-8 and alive until the process ends. */
typedef struct chm_plugin_entry {
    uint32_t size;           /**< sizeof(chm_plugin_entry) as the plugin was compiled */
    uint32_t abi_major;      /**< CHM_ABI_MAJOR as the plugin was compiled; another than the host's is refused */
    uint32_t abi_minor;      /**< CHM_ABI_MINOR as the plugin was compiled; any is accepted */
    uint32_t flags;          /**< CHM_PLUGIN_*; unknown ones are disregarded */
    const char *id;          /**< the name used in profiles; [a-z][a-z0-9_]* */
    const char *version;     /**< the plugin's own */
    const char *description; /**< one line: what it is and what it stands for */
    /** [main thread] Once, before anything else of the plugin is called. An error rejects the plugin: its
     * deinit is then not called. May be NULL. */
    chm_rc (*init)(const chm_host *, chm_error *) CHM_NX;
    /** [main thread] Once, if init was successful, after every instance is destroyed. May be NULL. Wakers may still be alive
     * and be dropped. */
    void (*deinit)(void) CHM_NX;
    /** [any thread, after init] The factory with this id (CHM_FACTORY_*), or NULL. Any string must be accepted. The answer
     * never changes. */
    const void *(*get_factory)(const char *factory_id) CHM_NX;
} chm_plugin_entry;

/** A plugin defines exactly this symbol:  CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = { ... };
 * Rationale: data, not a function, so that a tool can say what a file is before any of its code runs. */
#define CHM_ENTRY_SYMBOL "chimera_plugin_entry"

CHM_END_DECLS
#endif
