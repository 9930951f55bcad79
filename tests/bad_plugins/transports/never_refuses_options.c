/* Options that are refused are disregarded, all of them. */
#define CREATE create_anyway
#include "around_transport.h"

static chm_rc create_anyway(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* err) {
    static const chm_config none = {NULL, 0};
    const chm_rc rc = create_inner(host, config, out, err);
    return rc == CHM_E_INVAL ? create_inner(host, &none, out, err) : rc;
}
