// The rules of options, and docs/profile.md, which lists every key with the program's own description.
#include "profile/document.hpp"
#include "profile/options.hpp"
#include "profile/profile_keys.hpp"
#include "simulator/option_table.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace chimera::host;

namespace {

constexpr chm_option whole{sizeof(chm_option), CHM_OPT_INT, "n", "N", "1", nullptr, 1, 8};
constexpr chm_option any_whole{sizeof(chm_option), CHM_OPT_INT, "n", "N", "1", nullptr, 1, 0};
constexpr chm_option number{sizeof(chm_option), CHM_OPT_FLOAT, "x", "X", "1", nullptr, 0, 2.5};
constexpr chm_option flag{sizeof(chm_option), CHM_OPT_BOOL, "b", "B", "true", nullptr, 1, 0};
constexpr chm_option word{sizeof(chm_option), CHM_OPT_ENUM, "w", "W", "block", "block|wake|channel", 1, 0};
constexpr chm_option text{sizeof(chm_option), CHM_OPT_STRING, "s", "S", "", nullptr, 1, 0};

} // namespace

TEST_CASE("values become canonical text, so that equal values are equal text") {
    CHECK(check_text(whole, "8").text == "8");
    CHECK(check_text(whole, "007").text == "7");
    CHECK(check_text(any_whole, "-9223372036854775808").text == "-9223372036854775808");
    CHECK(check_text(number, "0.50").text == "0.5");
    CHECK(check_text(number, "2").text == "2");
    CHECK(check_text(number, "-0.0").text == "0");
    CHECK(check_text(number, "1e-3").text == "0.001");
    CHECK(check_text(text, "any \"thing\"\n").text == "any \"thing\"\n");
    CHECK(choices_of(word) == std::vector<std::string>{"block", "wake", "channel"});
}

TEST_CASE("wrong values are refused, with what would do") {
    CHECK(check_text(whole, "0").fault == "0 is out of range; give an integer from 1 to 8");
    CHECK(check_text(whole, "9").fault == "9 is out of range; give an integer from 1 to 8");
    CHECK(check_text(number, "2.6").fault == "2.6 is out of range; give a number from 0 to 2.5");
    for (const std::string wrong : {"", " 1", "1 ", "1x", "0x1", "1.0", "99999999999999999999"}) {
        CAPTURE(wrong);
        CHECK_FALSE(check_text(any_whole, wrong).fault.empty());
    }
    for (const std::string wrong : {"", "nan", "inf", "-inf", "1e999", "1,5"}) {
        CAPTURE(wrong);
        CHECK_FALSE(check_text(number, wrong).fault.empty());
    }
    CHECK(check_text(flag, "yes").fault == "\"yes\" is not true or false");
    CHECK(check_text(word, "blok").fault == "\"blok\" is not a choice; did you mean \"block\"?");
    CHECK_FALSE(check_text(word, "").fault.empty());
    CHECK_FALSE(check_text(word, "block|wake").fault.empty());
    CHECK_FALSE(check_text(text, std::string_view("a\0b", 3)).fault.empty());
}

TEST_CASE("in a file types are not mixed, save that an integer is a number") {
    const auto written = [](auto value) { return node{value, {"f:1:1", true}, std::nullopt}; };
    CHECK(check_node(number, written(std::int64_t{2})).text == "2");
    CHECK(check_node(whole, written(2.0)).fault == "is a float; give an integer from 1 to 8");
    CHECK(check_node(whole, written(std::string("2"))).fault == "is a string; give an integer from 1 to 8");
    CHECK(check_node(text, written(std::int64_t{2})).fault == "is an integer; give a string");
    CHECK(check_node(flag, written(std::int64_t{1})).fault == "is an integer; give true or false");
    CHECK(check_node(word, written(node::list{})).fault == "is an array; give one of \"block\", \"wake\", \"channel\"");
}

TEST_CASE("on the command line bare text is what the option is") {
    const auto typed = [](const std::string& raw) {
        node root{node::table{}, {"", false}, std::nullopt};
        CHECK(apply_set(root, "k=" + raw, "--set k=" + raw).empty());
        return *root.find("k");
    };
    CHECK(check_node(text, typed("2024")).text == "2024");
    CHECK(check_node(text, typed("2024-01-01")).text == "2024-01-01");
    CHECK(check_node(text, typed("\"quoted\"")).text == "quoted");
    CHECK(check_node(text, typed("")).text == "");
    CHECK(check_node(text, typed("1\nx = 2")).text == "1\nx = 2");
    CHECK(check_node(word, typed("wake")).text == "wake");
    CHECK(check_node(whole, typed("3")).text == "3");
    CHECK(check_node(whole, typed("three")).fault == "\"three\" is not an integer from 1 to 8");
    CHECK(check_node(whole, typed("\"3\"")).fault == "is a string; give an integer from 1 to 8");
}

TEST_CASE("an option's values are resolved in the order of the schema, nested tables by dotted names") {
    constexpr chm_option schema[] = {whole, {sizeof(chm_option), CHM_OPT_BOOL, "in.ner", "I", "true", nullptr, 1, 0}};
    std::string fault;
    const auto given = parse_document("in.ner = false\nin.other = 1\nextra = [1]", "f", &fault);
    std::vector<std::string> faults;
    const auto values = resolve_options(schema, &given, "executor.options", &faults);
    CHECK(values == std::vector<option_value>{{"n", "1", CHM_OPT_INT}, {"in.ner", "false", CHM_OPT_BOOL}});
    CHECK(faults == std::vector<std::string>{
                        "f:2:4: executor.options.in.other: unknown option; known: \"n\", \"in.ner\"",
                        "f:3:1: executor.options.extra: unknown option; known: \"n\", \"in.ner\"",
                    });
}

namespace {

std::string reference() {
    std::ifstream in(std::string(CHIMERA_SOURCE_DIR) + "/docs/profile.md");
    return {std::istreambuf_iterator<char>(in), {}};
}

void check_row(const std::string& page, const std::string& prefix, const chm_option& o, const std::string& value) {
    const std::string row = "| `" + prefix + o.name + "` | " + o.help + " | " + value + " |\n";
    CHECK_MESSAGE(page.find(row) != std::string::npos, "docs/profile.md lacks: " << row);
}

void check_row(const std::string& page, const std::string& prefix, const chm_option& o) {
    check_row(page, prefix, o, describe(o));
}

/// For a key whose value is an array; its option describes an item.
void check_list_row(const std::string& page, const std::string& prefix, chm_option o) {
    const std::string item = o.default_value == nullptr ? "" : o.default_value;
    o.default_value = nullptr;
    check_row(page, prefix, o,
              "an array, each item " + describe(o) + (item.empty() ? "" : ", default [\"" + item + "\"]"));
}

} // namespace

TEST_CASE("the reference of profiles is complete and true") {
    const std::string page = reference();
    profile p;
    for (const auto& key : profile_keys()) {
        const auto field = key.field(p);
        if (std::holds_alternative<std::vector<named_text>*>(field)) {
            check_row(page, "", key.option, "a table");
            continue;
        }
        const bool is_list = std::holds_alternative<std::vector<std::string>*>(field);
        is_list ? check_list_row(page, "", key.option) : check_row(page, "", key.option);
    }
    for (const auto& key : plugin_keys()) check_row(page, "executor.", key.option);
    for (const auto& key : agent_keys()) check_row(page, "workload.agents.", key.option);
    check_row(page, "workload.agents.", agent_count_key().option);
    for (const chm_option& o : chimera::sim::option_table()) check_row(page, "backend.simulator.", o);
    for (const chm_option& o : chimera::sim::repeatable_option_table()) check_list_row(page, "backend.simulator.", o);
}
