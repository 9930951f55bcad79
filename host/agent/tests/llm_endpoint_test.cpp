#include "agent/llm_endpoint.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

TEST_CASE("a protocol's path stands behind the base URL, the step that both have once") {
    const auto url = [](const char* base, const char* own = "") {
        return target_of(base, "/v1/chat/completions", own).url();
    };
    CHECK(url("http://h:1") == "http://h:1/v1/chat/completions");
    CHECK(url("http://h:1/") == "http://h:1/v1/chat/completions");
    CHECK(url("http://h:1/v1") == "http://h:1/v1/chat/completions");
    CHECK(url("http://h:1/v1/") == "http://h:1/v1/chat/completions");
    CHECK(url("http://h:1/llm/v1") == "http://h:1/llm/v1/chat/completions");
    CHECK(url("http://h:1/llm") == "http://h:1/llm/v1/chat/completions");
    CHECK(url("http://h:1/xv1") == "http://h:1/xv1/v1/chat/completions");
    CHECK(url("http://h:1/v1", "/v1/chat/completions") == "http://h:1/v1/v1/chat/completions");
    CHECK(url("http://h:1/a", "/b?c=1") == "http://h:1/a/b?c=1");
    CHECK(target_of("http://h/api", "/api/generate", "").url() == "http://h/api/generate");
}

TEST_CASE("a unix socket's path is its origin") {
    const auto encoded = target_of("http+unix://%2Frun%2Fa.sock/v1", "/v1/completions", "");
    CHECK(encoded.origin == "http+unix://%2Frun%2Fa.sock");
    CHECK(encoded.path == "/v1/completions");
    const auto plain = target_of("http+unix:///run/a.sock", "/api/chat", "");
    CHECK(plain.origin == "http+unix:///run/a.sock");
    CHECK(plain.path == "/api/chat");
}

TEST_CASE("a redirect is followed within its origin only") {
    const request_target from{"http://h:80", "/v1/chat/completions"};
    const auto to = [&](const char* location) {
        const auto target = redirected(from, location);
        return target ? target->url() : std::string("elsewhere");
    };
    CHECK(to("/compat/v1?a=b") == "http://h:80/compat/v1?a=b");
    CHECK(to("other") == "http://h:80/v1/chat/other");
    CHECK(to("http://h/x") == "http://h:80/x");
    CHECK(to("HTTP://H:80/x#y") == "http://h:80/x");
    CHECK(to("https://h/x") == "elsewhere");
    CHECK(to("http://h:81/x") == "elsewhere");
    CHECK(to("http://other/x") == "elsewhere");
    CHECK(to("//other/x") == "elsewhere");
    CHECK(to("http://[broken") == "elsewhere");
    CHECK(redirected({"http+unix://%2Fs", "/a"}, "/b")->url() == "http+unix://%2Fs/b");
    CHECK_FALSE(redirected({"http+unix://%2Fs", "/a"}, "http://h/b"));
}
