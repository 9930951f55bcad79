#include "reply_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace chimera::sim;

namespace {

std::string text_of(const std::vector<token_id>& tokens) {
    std::string text;
    for (const auto id : tokens) {
        text += token_text(id);
    }
    return text;
}

/// What stands between a heading and the next one.
std::string section(const std::string& report, const std::string& heading) {
    const auto at = report.find("## " + heading + "\n");
    if (at == std::string::npos) {
        return {};
    }
    const auto begin = report.find('\n', at);
    return report.substr(begin, report.find("\n## ", begin) - begin);
}

} // namespace

TEST_CASE("a report of any length has exactly its tokens, and from eight on all four sections with entries") {
    for (std::uint32_t length = 1; length < 400; ++length) {
        CAPTURE(length);
        const auto tokens = compose_report(length * 31, length);
        REQUIRE(tokens.size() == length);
        if (length < 8) {
            continue;
        }
        const auto report = text_of(tokens);
        CAPTURE(report);
        CHECK(section(report, "Summary").size() > 2);
        CHECK(section(report, "Key Findings").find("\n- ") != std::string::npos);
        const auto metrics = section(report, "Metrics");
        CHECK(metrics.find("\n- ") != std::string::npos);
        CHECK(metrics.find(": ") != std::string::npos);
        CHECK(section(report, "Recommendations").find("\n1.") != std::string::npos);
    }
}

TEST_CASE("every metric line of a report is name, value and unit") {
    const auto metrics = section(text_of(compose_report(5, 600)), "Metrics");
    std::size_t lines = 0;
    for (std::size_t at = metrics.find("\n- "); at != std::string::npos; at = metrics.find("\n- ", at + 1)) {
        const auto line = metrics.substr(at + 3, metrics.find('\n', at + 1) - at - 3);
        CAPTURE(line);
        const auto colon = line.find(": ");
        REQUIRE(colon != std::string::npos);
        std::size_t used = 0;
        CHECK(std::stod(line.substr(colon + 2), &used) > 0);
        CHECK(line.substr(colon + 2 + used).starts_with(" "));
        ++lines;
    }
    CHECK(lines > 20);
}

TEST_CASE("the same seed gives the same report, another seed another one") {
    CHECK(compose_report(1, 200) == compose_report(1, 200));
    CHECK(compose_report(1, 200) != compose_report(2, 200));
    CHECK(compose_prose(1, 50).size() == 50);
}

TEST_CASE("the JSON form of a token is the token, and reports hold multibyte characters") {
    const auto tokens = compose_report(3, 2000);
    std::string json;
    for (const auto id : tokens) {
        REQUIRE(token_json(id).size() <= longest_token);
        json += token_json(id);
    }
    const auto text = text_of(tokens);
    CHECK(nlohmann::json::parse("\"" + json + "\"").get<std::string>() == text);
    CHECK(text.find("数据") != std::string::npos);
    CHECK(text.find("🚀") != std::string::npos);
}
