/* The smallest executor that loads: it can be made and destroyed, and runs nothing. A plugin of this folder sets the
 * macro of the one thing that is wrong with it, then includes this. PLUGIN_ID is its file's name. */
#include <chimera/abi.h>
#include <stdio.h>
#include <string.h>

#ifndef ENTRY_SIZE
#define ENTRY_SIZE sizeof(chm_plugin_entry)
#endif
#ifndef ENTRY_MAJOR
#define ENTRY_MAJOR CHM_ABI_MAJOR
#endif
#ifndef ENTRY_MINOR
#define ENTRY_MINOR CHM_ABI_MINOR
#endif
#ifndef ENTRY_ID
#define ENTRY_ID PLUGIN_ID
#endif
#ifndef ENTRY_VERSION
#define ENTRY_VERSION "1.2.3"
#endif
#ifndef ENTRY_DESCRIPTION
#define ENTRY_DESCRIPTION "An executor that only loads"
#endif
#ifndef ENTRY_INIT
#define ENTRY_INIT init
#endif
#ifndef ENTRY_DEINIT
#define ENTRY_DEINIT deinit
#endif
#ifndef ENTRY_GET_FACTORY
#define ENTRY_GET_FACTORY get_factory
#endif
#ifndef FACTORY_ID
#define FACTORY_ID CHM_FACTORY_EXECUTOR
#endif
#ifndef FACTORY_SIZE
#define FACTORY_SIZE sizeof(chm_executor_factory)
#endif
#ifndef FACTORY_CREATE
#define FACTORY_CREATE create
#endif
#ifndef OPTIONS
#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", "1", NULL, 1, 64 }
#endif
#ifndef FACTORY_OPTIONS
#define FACTORY_OPTIONS (const chm_option*)options
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(chm_executor_vt)
#endif
#ifndef TABLE_DESTROY
#define TABLE_DESTROY destroy
#endif

static inline void say(chm_error* error, const char* text) {
    if (error != NULL && error->text != NULL) snprintf(error->text, error->cap, "%s", text);
}

static inline chm_rc spawn(chm_executor* self, chm_task* task, const chm_spawn_opts* opts) {
    (void)self, (void)task, (void)opts;
    return CHM_E_NOSYS;
}
static inline chm_rc run(chm_executor* self, uint32_t mode, chm_error* error) {
    (void)self, (void)mode, (void)error;
    return CHM_OK;
}
static inline void stop(chm_executor* self) { (void)self; }
static inline void destroy(chm_executor* self);
static inline const void* get_extension(chm_executor* self, const char* id) {
    (void)self, (void)id;
    return NULL;
}

static const chm_executor_vt table = {TABLE_SIZE, 0, spawn, run, stop, TABLE_DESTROY, get_extension};

/* It has no state, so that one does for all. */
static chm_executor instance = {&table};

static const chm_host* the_host;

static inline void tell(const char* text) {
    const chm_str line = {text, strlen(text)};
    the_host->log(the_host, CHM_LOG_INFO, line);
}

static inline void destroy(chm_executor* self) {
    (void)self;
    tell("destroy");
}

static inline chm_rc init(const chm_host* host, chm_error* error) {
    (void)error;
    the_host = host;
    tell("init");
    return CHM_OK;
}
static inline void deinit(void) { tell("deinit"); }

static inline chm_rc create(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    (void)host, (void)error;
    for (size_t i = 0; i < config->n; ++i) {
        char line[256];
        snprintf(line, sizeof line, "%.*s = %.*s", (int)config->kv[i].key.len, config->kv[i].key.ptr,
                 (int)config->kv[i].value.len, config->kv[i].value.ptr);
        tell(line);
    }
    *out = &instance;
    return CHM_OK;
}

#ifndef OWN_OPTIONS
static const chm_option options[] = {OPTIONS};
#endif
static const chm_executor_factory factory = {FACTORY_SIZE, sizeof options / sizeof options[0], FACTORY_OPTIONS,
                                             FACTORY_CREATE};

static inline const void* get_factory(const char* id) { return strcmp(id, FACTORY_ID) == 0 ? &factory : NULL; }

#ifndef NO_ENTRY
CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {ENTRY_SIZE,   ENTRY_MAJOR,      ENTRY_MINOR,       0,
                                                          ENTRY_ID,     ENTRY_VERSION,    ENTRY_DESCRIPTION, ENTRY_INIT,
                                                          ENTRY_DEINIT, ENTRY_GET_FACTORY};
#endif
