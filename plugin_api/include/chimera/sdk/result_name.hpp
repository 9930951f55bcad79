// Result codes by name, for messages.
#pragma once

#include "../abi/base.h"

namespace chimera::sdk {

/// "CHM_E_INVAL"; nullptr for a number that is not a result code. 0 is "CHM_OK", also where it means CHM_PENDING.
constexpr const char* result_name(chm_rc rc) noexcept {
    switch (rc) {
    case CHM_OK:
        return "CHM_OK";
    case CHM_READY:
        return "CHM_READY";
    case CHM_END:
        return "CHM_END";
    case CHM_E_FAIL:
        return "CHM_E_FAIL";
    case CHM_E_NOMEM:
        return "CHM_E_NOMEM";
    case CHM_E_INVAL:
        return "CHM_E_INVAL";
    case CHM_E_NOSYS:
        return "CHM_E_NOSYS";
    case CHM_E_CANCELED:
        return "CHM_E_CANCELED";
    case CHM_E_IO:
        return "CHM_E_IO";
    case CHM_E_PROTO:
        return "CHM_E_PROTO";
    case CHM_E_CLOSED:
        return "CHM_E_CLOSED";
    case CHM_E_AFFINITY:
        return "CHM_E_AFFINITY";
    case CHM_E_TIMEOUT:
        return "CHM_E_TIMEOUT";
    case CHM_E_RESOLVE:
        return "CHM_E_RESOLVE";
    case CHM_E_CONNECT:
        return "CHM_E_CONNECT";
    case CHM_E_LIMIT:
        return "CHM_E_LIMIT";
    case CHM_E_TLS:
        return "CHM_E_TLS";
    case CHM_E_STATE:
        return "CHM_E_STATE";
    default:
        return nullptr;
    }
}

} // namespace chimera::sdk
