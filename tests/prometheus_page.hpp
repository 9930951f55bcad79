// What Prometheus would get: a page fetched by a real HTTP client and parsed strictly.
#pragma once

#include <boost/regex.hpp> // GCC 12 warns of std::regex under AddressSanitizer
#include <curl/curl.h>
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

namespace chimera::test {

/// Sample values by series, as `name{label="value",...}`.
using prometheus_page = std::map<std::string, double>;

/// Parses the text format. Fails the test on a line that it does not allow, on a sample without HELP and TYPE before
/// it, and on a histogram whose buckets do not add up.
inline prometheus_page parse_page(const std::string& text) {
    static const boost::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
    static const boost::regex sample(
        R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="[^"]*"(,[a-zA-Z_]\w*="[^"]*")*\})? (\S+))");
    prometheus_page page;
    std::map<std::string, std::string> types;
    std::istringstream in(text);
    std::string family;
    double bucket = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.empty()) continue;
        CAPTURE(line);
        boost::smatch m;
        if (boost::regex_match(line, m, comment)) {
            if (m[1] == "TYPE") types[family = m[2]] = m[3];
            continue;
        }
        REQUIRE(boost::regex_match(line, m, sample));
        const std::string name = m[1], labels = m[2];
        REQUIRE(types.contains(family));
        REQUIRE(name.starts_with(family));
        const double value = std::stod(m[4]);
        CHECK(page.emplace(name + labels, value).second);
        if (types[family] != "histogram") continue;
        if (name == family + "_count") bucket = 0; // the order is count, sum, buckets
        if (name != family + "_bucket") continue;
        CHECK(value >= bucket);
        bucket = value;
        if (const auto inf = labels.find("le=\"+Inf\""); inf != std::string::npos) {
            const std::string rest = inf > 1 ? labels.substr(0, inf - 1) + "}" : "";
            CHECK(value == page.at(family + "_count" + rest));
        }
    }
    return page;
}

/// A page that was fetched, and its type. Nothing: no connection. Fails the test where the status is not 200.
inline std::optional<std::string> fetch(const std::string& url, std::string* type = nullptr) {
    std::string body;
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(
        curl.get(), CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t size, std::size_t n, void* to) {
            static_cast<std::string*>(to)->append(data, size * n);
            return size * n;
        });
    if (curl_easy_perform(curl.get()) != CURLE_OK) return std::nullopt;
    long status = 0;
    const char* said = nullptr;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl.get(), CURLINFO_CONTENT_TYPE, &said);
    CHECK_MESSAGE(status == 200, body);
    if (type != nullptr && said != nullptr) *type = said;
    return body;
}

/// Nothing: no connection.
inline std::optional<prometheus_page> scrape(const std::string& url) {
    std::string type;
    const std::optional<std::string> body = fetch(url, &type);
    if (!body) return std::nullopt;
    CHECK(type.starts_with("text/plain"));
    return parse_page(*body);
}

} // namespace chimera::test
