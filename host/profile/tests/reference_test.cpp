// docs/profile.md names every key with what the program says of it.
#include "profile/option_check.hpp"
#include "profile/profile_keys.hpp"
#include "simulator/option_table.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace chimera::host;

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
