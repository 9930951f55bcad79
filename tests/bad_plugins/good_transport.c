/* Nothing is wrong with it; it offers a transport, and no executor. */
#include <chimera/abi.h>
#include <string.h>

static chm_rc open_session(chm_transport* self, const chm_session_args* args, chm_session** out, chm_error* error) {
    (void)self, (void)args, (void)out, (void)error;
    return CHM_E_NOSYS;
}
static void destroy(chm_transport* self) { (void)self; }
static const void* get_extension(chm_transport* self, const char* id) {
    (void)self, (void)id;
    return NULL;
}
static const chm_transport_vt table = {sizeof table, 0, open_session, destroy, get_extension};
static chm_transport instance = {&table};

static chm_rc create(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* error) {
    (void)host, (void)config, (void)error;
    *out = &instance;
    return CHM_OK;
}
static const chm_transport_factory factory = {sizeof factory, 0, NULL, create};

static const void* get_factory(const char* id) { return strcmp(id, CHM_FACTORY_TRANSPORT) == 0 ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {
    sizeof(chm_plugin_entry),      CHM_ABI_MAJOR, CHM_ABI_MINOR, 0,          PLUGIN_ID, "0.1.0",
    "A transport that only loads", NULL,          NULL,          get_factory};
