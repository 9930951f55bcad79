#include "tools.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "generation_request.hpp"
#include "options.hpp"

using namespace chimera::sim;
using nlohmann::json;

namespace {

/// Arguments of the call that a request with one tool of this schema is answered by.
json arguments_for(const std::string& schema, std::uint64_t seed = 1) {
    const auto body = R"({"tools":[{"type":"function","function":{"name":"f","parameters":)" + schema + "}}]}";
    simdjson::dom::parser parser;
    simdjson::dom::object root;
    REQUIRE(parser.parse(body).get(root) == simdjson::SUCCESS);
    const options o;
    prompt_reader prompt(o);
    const auto call = choose_call(read_tools(root, true, prompt), seed);
    REQUIRE(call);
    CHECK(call->name == "\"f\"");
    std::string joined;
    for (const auto& piece : pieces_of(call->arguments)) {
        CHECK_FALSE(piece.empty());
        CHECK(piece.size() <= 32);
        CHECK_NOTHROW(json(piece).dump()); // whole characters only
        joined += piece;
    }
    CHECK(joined == call->arguments);
    return json::parse(call->arguments);
}

json value_for(const std::string& schema) {
    return arguments_for(R"({"type":"object","properties":{"v":)" + schema + "}}").at("v");
}

} // namespace

TEST_CASE("arguments fit the tool's schema") {
    CHECK(value_for(R"({"type":"string"})").is_string());
    CHECK(value_for(R"({"type":"integer"})").is_number_integer());
    CHECK(value_for(R"({"type":"number"})").is_number_float());
    CHECK(value_for(R"({"type":"boolean"})").is_boolean());
    CHECK(value_for(R"({"type":"null"})").is_null());
    CHECK(value_for(R"({"type":["null","integer"]})").is_number_integer());
    CHECK(value_for(R"({"enum":["ä","b"]})") == "ä");
    CHECK(value_for(R"({"const":{"a":[1]}})") == json::parse(R"({"a":[1]})"));
    CHECK(value_for(R"({"anyOf":[{"type":"boolean"},{"type":"string"}]})").is_boolean());
    const auto list = value_for(R"({"type":"array","items":{"type":"integer"}})");
    REQUIRE(list.is_array());
    CHECK(list.at(0).is_number_integer());
    CHECK(value_for(R"({"type":"object","properties":{"x":{"type":"integer"}}})").at("x").is_number_integer());
    CHECK(value_for(R"({"properties":{"x":{}}})").at("x").is_string());
    CHECK(value_for("true").is_string());
}

TEST_CASE("a schema without properties, or none, is answered with an empty object") {
    CHECK(arguments_for("{}") == json::object());
    CHECK(arguments_for("null") == json::object());
    CHECK(arguments_for(R"({"type":"object"})") == json::object());
    CHECK(arguments_for(R"({"type":"array"})") == json::object());
}

TEST_CASE("the same schema and seed give the same arguments, another seed others") {
    const std::string schema = R"({"type":"object","properties":{"v":{"type":"string"}}})";
    CHECK(arguments_for(schema, 1) == arguments_for(schema, 1));
    CHECK(arguments_for(schema, 1) != arguments_for(schema, 2));
}

TEST_CASE("arguments stay short, whatever a schema asks for") {
    std::string wide = R"({"type":"object","properties":{)";
    for (int i = 0; i < 20'000; ++i) {
        wide += (i == 0 ? "" : ",") + json("\x01\"name" + std::to_string(i)).dump() + R"(:{"type":"string"})";
    }
    CHECK(arguments_for(wide + "}}").dump().size() < 100'000);
    std::string deep = R"({"type":"string"})";
    for (int i = 0; i < 200; ++i) {
        deep = R"({"type":"object","properties":{"d":)" + deep + R"(,"e":)" + R"({"type":"integer"})" + "}}";
    }
    CHECK(arguments_for(deep).is_object());
    const auto long_enum = R"({"enum":[")" + std::string(5000, 'x') + R"("]})";
    CHECK(value_for(long_enum).get<std::string>().size() < 256);
}
