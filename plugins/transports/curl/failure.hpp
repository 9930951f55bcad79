// What curl's results mean in the contract's codes.
#pragma once

#include <string>
#include <string_view>

#include <chimera/abi/base.h>
#include <curl/curl.h>

namespace chimera::curl {

/// The CHM_E_* for a transfer that failed. `text` is curl's own message (CURLOPT_ERRORBUFFER): where one CURLcode
/// stands for several causes, the message tells them apart.
chm_rc failure_code(CURLcode result, std::string_view text) noexcept;

/// [CHM_E_PROTO] The fault of the peer, in clearer words than curl's `text`. Without the faulty bytes: curl refuses a
/// line before anybody else has seen it.
std::string fault_of(CURLcode result, std::string_view text);

} // namespace chimera::curl
