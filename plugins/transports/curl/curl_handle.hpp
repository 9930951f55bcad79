// libcurl's objects as C++ owns them, and its result codes in the contract's terms.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

#include <chimera/abi/base.h>
#include <chimera/sdk/error.hpp>

namespace chimera::curl {

/// Calls the C function F as a deleter.
template <auto F>
struct calls {
    template <class T>
    void operator()(T* p) const noexcept {
        F(p);
    }
};

using easy_handle = std::unique_ptr<CURL, calls<curl_easy_cleanup>>;
using multi_handle = std::unique_ptr<CURLM, calls<curl_multi_cleanup>>;
using header_list = std::unique_ptr<curl_slist, calls<curl_slist_free_all>>;
using url_handle = std::unique_ptr<CURLU, calls<curl_url_cleanup>>;

/// curl_easy_setopt; value has exactly the type that the option asks for (long, pointer, curl_off_t). Throws.
template <class T>
void set_option(CURL* easy, CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(easy, option, value))
        throw sdk::error(code == CURLE_OUT_OF_MEMORY ? CHM_E_NOMEM : CHM_E_FAIL,
                         "curl refused option " + std::to_string(option) + ": " + curl_easy_strerror(code));
}

/// The CHM_E_* for a transfer that failed. `text` is curl's own message (CURLOPT_ERRORBUFFER): where one CURLcode
/// stands for several causes, the message tells them apart.
chm_rc failure_code(CURLcode result, std::string_view text) noexcept;

/// [CHM_E_PROTO] The fault of the peer, in clearer words than curl's `text`. Without the faulty bytes: curl refuses a
/// line before anybody else has seen it.
std::string fault_of(CURLcode result, std::string_view text);

} // namespace chimera::curl
