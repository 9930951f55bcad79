#include "session.hpp"

#include <climits>

#include "http1/http_text.hpp"

namespace chimera::curl {

namespace {

sdk::error invalid(std::string_view what, std::string_view why) {
    return {CHM_E_INVAL, std::string(what) + ": " + std::string(why)};
}

void append(header_list& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
}

/// The caller's headers as curl wants them, and nothing from curl that the caller did not ask for.
header_list header_lines(const chm_request& request) {
    header_list list;
    bool accept = false, content_type = false;
    for (std::uint32_t i = 0; i < request.n_headers; ++i) {
        const std::string_view name = sdk::view(request.headers[i].key), value = sdk::view(request.headers[i].value);
        if (!http1::is_token(name)) throw invalid("header '" + std::string(name) + "'", "not a header's name");
        if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
            throw invalid("header '" + std::string(name) + "'", "a line break or NUL in its value");
        for (const char* own : {"Content-Length", "Transfer-Encoding", "Expect"})
            if (http1::same_name(name, own))
                throw invalid("header '" + std::string(name) + "'", "the transport decides it from the body");
        accept = accept || http1::same_name(name, "Accept");
        content_type = content_type || http1::same_name(name, "Content-Type");
        // An empty value is written "name;": "name:" would remove a header of curl's.
        append(list, value.empty() ? std::string(name) + ";" : std::string(name) + ": " + std::string(value));
    }
    append(list, "Expect:"); // no waiting for 100 Continue
    if (!accept) append(list, "Accept:");
    if (!content_type) append(list, "Content-Type:");
    return list;
}

} // namespace

session::session(const settings& options, chm_reactor& reactor, base_url base)
    : options_(options), base_(std::move(base)), driver_(reactor), exchange_(options, base_, driver_) {
    make_easy();
}

/// Each exchange gets an easy handle of its own. libcurl 7.88 keeps two things of a response in the handle that it
/// does not take back: a pointer to the last header, which it has freed when the next response begins with a folded
/// line (use after free), and the unfinished line of a head that failed, which it puts before the next one. The
/// connection belongs to the multi handle and stays.
void session::make_easy() {
    easy_.reset(curl_easy_init());
    if (!easy_) throw std::bad_alloc();
    set_constant_options();
    set_proxy();
    driver_.adopt(easy_.get());
    exchange_.adopt(easy_.get());
    fresh_ = true;
}

void session::set_constant_options() {
    const settings& options = options_;
    CURL* easy = easy_.get();
    set_option(easy, CURLOPT_NOSIGNAL, 1L);
    set_option(easy, CURLOPT_QUICK_EXIT,
               1L); // a close does not wait for a name server; the resolver's thread ends alone
    set_option(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set_option(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set_option(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0L); // chunk_reader does it
    set_option(easy, CURLOPT_PATH_AS_IS, 1L);
    set_option(easy, CURLOPT_USERAGENT, "chimera");
    set_option(easy, CURLOPT_TCP_NODELAY, 1L);
    set_option(easy, CURLOPT_BUFFERSIZE, options.buffer_size);
    // To curl 0 means its own 300 s.
    set_option(easy, CURLOPT_CONNECTTIMEOUT_MS,
               options.connect_timeout_ms ? options.connect_timeout_ms : static_cast<long>(INT_MAX));
    set_option(easy, CURLOPT_SSL_VERIFYPEER, options.tls_verify ? 1L : 0L);
    set_option(easy, CURLOPT_SSL_VERIFYHOST, options.tls_verify ? 2L : 0L);
    if (!options.ca_file.empty()) set_option(easy, CURLOPT_CAINFO, options.ca_file.c_str());
}

void session::set_proxy() {
    const proxy_choice& choice = options_.proxies;
    CURL* easy = easy_.get();
    if (!base_.unix_socket.empty()) set_option(easy, CURLOPT_UNIX_SOCKET_PATH, base_.unix_socket.c_str());
    const proxy& chosen = choice.of(base_.tls);
    const bool none = chosen.url.empty() || !base_.unix_socket.empty();
    // Set also when they are empty: otherwise curl asks the environment.
    set_option(easy, CURLOPT_PROXY, none ? "" : chosen.url.c_str());
    set_option(easy, CURLOPT_NOPROXY, choice.except.c_str());
    if (none) return;
    set_option(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); // a tunnel's head is not the response's head
    if (chosen.user.empty() && chosen.password.empty()) return;
    set_option(easy, CURLOPT_PROXYUSERNAME, chosen.user.c_str());
    set_option(easy, CURLOPT_PROXYPASSWORD, chosen.password.c_str());
}

chm_exchange* session::start(const chm_request& request) {
    if (exchange_.open())
        throw sdk::error(CHM_E_STATE, base_.shown + ": the session's exchange before this one is still open");
    if (!fresh_) make_easy();
    fresh_ = false;
    set_request(request);
    exchange_.begin(method_, sdk::view(request.path), body_.size());
    return &exchange_;
}

void session::set_request(const chm_request& request) {
    const std::string_view method = sdk::view(request.method), path = sdk::view(request.path);
    if (!http1::is_token(method)) throw invalid("method '" + std::string(method) + "'", "not a method's name");
    if (!path.empty() && path.front() != '/')
        throw invalid("path '" + std::string(path) + "'", "does not begin with /");
    for (const char c : path)
        if (c <= ' ' || c >= 0x7f || c == '#')
            throw invalid("path '" + std::string(path) + "'", "has a character that must be percent-encoded");
    header_list headers = header_lines(request);

    method_ = method;
    url_ = base_.for_curl + std::string(path);
    body_ = sdk::view(request.body);
    CURL* easy = easy_.get();
    set_option(easy, CURLOPT_URL, url_.c_str());
    set_option(easy, CURLOPT_HTTPGET, 1L); // undoes POST, NOBODY and the like of the request before
    set_option(easy, CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
    if (!body_.empty() || method_ == "POST" || method_ == "PUT" || method_ == "PATCH") {
        set_option(easy, CURLOPT_POST, 1L);
        set_option(easy, CURLOPT_POSTFIELDS, body_.c_str());
        set_option(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
        if (method_ != "POST") set_option(easy, CURLOPT_CUSTOMREQUEST, method_.c_str());
    } else if (method_ == "HEAD") {
        set_option(easy, CURLOPT_NOBODY, 1L);
    } else if (method_ != "GET") {
        set_option(easy, CURLOPT_CUSTOMREQUEST, method_.c_str());
    }
    set_option(easy, CURLOPT_HTTPHEADER, headers.get());
    headers_ = std::move(headers); // only now: the list before it was curl's until this moment
}

} // namespace chimera::curl
