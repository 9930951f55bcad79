#include "curl_handle.hpp"

namespace chimera::curl {

chm_rc failure_code(CURLcode result, std::string_view text) noexcept {
    const auto says = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return CHM_E_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: // a SOCKS proxy said no
        return CHM_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return CHM_E_TIMEOUT;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
        return CHM_E_CLOSED;
    case CURLE_SEND_ERROR:
        return says("Broken pipe") ? CHM_E_CLOSED : CHM_E_IO;
    case CURLE_RECV_ERROR:
        if (says("chunked-encoding")) return CHM_E_PROTO;
        if (says("CONNECT tunnel failed")) return CHM_E_CONNECT; // an HTTP proxy said no
        return says("unexpected eof") ? CHM_E_CLOSED : CHM_E_IO; // TLS without a close_notify
    case CURLE_UNSUPPORTED_PROTOCOL:                             // "Received HTTP/0.9": not a status line
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:  // more than five transfer codings
    case CURLE_BAD_FUNCTION_ARGUMENT: // a folded line without a header before it
        return CHM_E_PROTO;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return CHM_E_TLS;
    case CURLE_OUT_OF_MEMORY:
        return CHM_E_NOMEM;
    case CURLE_URL_MALFORMAT:
        return CHM_E_INVAL;
    default:
        return CHM_E_FAIL;
    }
}

std::string fault_of(CURLcode result, std::string_view text) {
    const auto says = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
    if (says("HTTP/0.9")) return "it does not begin with 'HTTP/'";
    if (says("Unsupported response code"))
        return "the status in its status line is not a number of three digits from 100 on";
    if (says("Unsupported HTTP version"))
        return "the version in its status line is not 1.0 or 1.1, which are all that libcurl takes";
    if (says("Nul byte")) return "a header line has a NUL";
    if (says("Header without colon")) return "a header line has no colon";
    if (says("Invalid Content-Length"))
        return "its Content-Length does not begin with a digit (it is empty, negative or not a number)";
    if (result == CURLE_BAD_FUNCTION_ARGUMENT)
        return "a header line begins with a blank and no header is before it, or has a carriage return in its name";
    return std::string(text);
}

} // namespace chimera::curl
