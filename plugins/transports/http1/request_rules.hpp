// What may stand in a request, whichever version of HTTP carries it.
#pragma once

#include <string_view>

#include "chimera/abi/transport.h"

namespace chimera::http1 {

/// Throws sdk::error (CHM_E_INVAL) that names the fault: a method or a header's name that is no token, a path that does
/// not begin with '/' or has a character that must be percent-encoded, a value with a line break or a NUL, a header
/// that is the transport's own to send.
void check_request(const chm_request& request);

/// Whether a request says the length of its body: where there is one, and where the method leads the server to expect
/// one.
bool says_length(std::string_view method, std::string_view body) noexcept;

} // namespace chimera::http1
