// Parts by themselves: the fields of a request, options.
#include <doctest/doctest.h>

#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/text.hpp"
#include "connection.hpp"
#include "settings.hpp"
#include "stream.hpp"

using namespace chimera;
using namespace chimera::h2;

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

pairs fields_of(std::string_view base, std::string_view method, std::string_view path, const pairs& headers,
                std::string_view body = {}) {
    const auto url = stream_socket::base_url::parse(base, "h2", stream_socket::base_url::offered);
    std::vector<chm_kv> kv;
    for (const auto& [key, value] : headers) kv.push_back({sdk::str(key), sdk::str(value)});
    const chm_request raw{
        sizeof raw, static_cast<std::uint32_t>(kv.size()), sdk::str(method), sdk::str(path), kv.data(), sdk::str(body)};
    request_fields fields;
    fields.write(url, raw);
    pairs out;
    for (const nghttp2_nv& nv : fields.fields())
        out.emplace_back(std::string(reinterpret_cast<const char*>(nv.name), nv.namelen),
                         std::string(reinterpret_cast<const char*>(nv.value), nv.valuelen));
    return out;
}

chm_rc refused(std::string_view method, std::string_view path, const pairs& headers) {
    try {
        fields_of("http://h", method, path, headers);
    } catch (const sdk::error& e) {
        return e.code();
    }
    return CHM_OK;
}

} // namespace

TEST_CASE("a request's fields: pseudo-header first, small letters, nothing of HTTP/1.1's connections") {
    CHECK(fields_of("https://h:8443/v1/", "POST", "/chat", {{"Accept", "*/*"}, {"X-Key", " a b "}}, "body") ==
          pairs{{":method", "POST"},
                {":scheme", "https"},
                {":authority", "h:8443"},
                {":path", "/v1/chat"},
                {"accept", "*/*"},
                {"x-key", "a b"},
                {"content-length", "4"}});
    CHECK(fields_of("http://h", "GET", "",
                    {{"Host", "other"},
                     {"Connection", "close"},
                     {"Keep-Alive", "5"},
                     {"Upgrade", "h2c"},
                     {"TE", "trailers"},
                     {"te", "gzip"}}) ==
          pairs{{":method", "GET"}, {":scheme", "http"}, {":authority", "other"}, {":path", "/"}, {"te", "trailers"}});
    CHECK(fields_of("http+unix://%2Frun%2Fx.sock", "PUT", "/", {}) == pairs{{":method", "PUT"},
                                                                            {":scheme", "http"},
                                                                            {":authority", "localhost"},
                                                                            {":path", "/"},
                                                                            {"content-length", "0"}});
}

TEST_CASE("what cannot be sent is INVAL") {
    CHECK(refused("GE T", "/", {}) == CHM_E_INVAL);
    CHECK(refused("GET", "x", {}) == CHM_E_INVAL);
    CHECK(refused("GET", "/a b", {}) == CHM_E_INVAL);
    CHECK(refused("GET", "/", {{"a b", "x"}}) == CHM_E_INVAL);
    CHECK(refused("GET", "/", {{":path", "x"}}) == CHM_E_INVAL);
    CHECK(refused("GET", "/", {{"a", "x\r\ny: z"}}) == CHM_E_INVAL);
    CHECK(refused("GET", "/", {{"Content-Length", "5"}}) == CHM_E_INVAL);
    CHECK(refused("GET", "/", {{"Transfer-Encoding", "chunked"}}) == CHM_E_INVAL);
    CHECK(refused("GET", "/", {{"a", "b"}}) == CHM_OK);
}

TEST_CASE("a ca_file that cannot be read is refused before anything is opened") {
    const chm_kv given{sdk::str("ca_file"), sdk::str("/no/such/file.pem")};
    const chm_config config{&given, 1};
    const sdk::options options(&config, option_schema);
    CHECK_THROWS_WITH_AS(settings{options}, "option 'ca_file': cannot read '/no/such/file.pem'", sdk::error);
}

TEST_CASE("a connection that never opened tells a late stream why, and the stream is not sent again") {
    const sdk::options options(nullptr, option_schema);
    const settings limits(options);
    stream_socket::resolver names;
    sdk::epoll_reactor reactor;
    const auto url = stream_socket::base_url::parse("http://127.0.0.1:1", "h2", stream_socket::base_url::offered);
    connection c(limits, names, nullptr, url, &reactor, true);
    c.shut(CHM_E_CONNECT, "refused"); // as its driver may, before the first exchange has come to it
    stream s;
    c.submit(s);
    CHECK(s.failed);
    CHECK(s.code == CHM_E_CONNECT);
    CHECK(s.why == "refused");
    CHECK(!s.not_processed);
}
