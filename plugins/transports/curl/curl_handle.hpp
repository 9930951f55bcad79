// Owning handles on libcurl's objects.
#pragma once

#include <memory>
#include <string>

#include <chimera/sdk/error.hpp>
#include <curl/curl.h>

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

} // namespace chimera::curl
