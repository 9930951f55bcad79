// The plugin's entry: libcurl's process-wide state lives from init to deinit.
#include <chimera/sdk/plugin.hpp>

#include <curl/curl.h>

#include "transport.hpp"

namespace {

using chimera::sdk::fail;

chm_rc init(const chm_host*, chm_error* err) noexcept {
    if (const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT))
        return fail(err, CHM_E_FAIL, curl_easy_strerror(code));
    // TLS is asked for because https is half of the reason to choose this transport.
    const curl_version_info_data* v = curl_version_info(CURLVERSION_NOW);
    if (v->features & CURL_VERSION_SSL) return CHM_OK;
    curl_global_cleanup();
    return fail(err, CHM_E_NOSYS, "this libcurl was built without TLS; install libcurl4 (OpenSSL flavour)");
}

void deinit() noexcept { curl_global_cleanup(); }

} // namespace

extern "C" CHM_EXPORT const chm_plugin_entry chimera_plugin_entry;
extern "C" const chm_plugin_entry chimera_plugin_entry = {
    sizeof(chm_plugin_entry),
    CHM_ABI_MAJOR,
    CHM_ABI_MINOR,
    0,
    "curl",
    "1.0.0",
    "libcurl's multi socket API on the given reactor, http and https; stands for reqwest with 8 KB reads",
    init,
    deinit,
    chimera::sdk::single_transport<chimera::curl::transport>};
