// docs/output.md describes every member of every result file, from the tables that read and write them.
#include "result/campaign_result.hpp"
#include "result/run_result.hpp"
#include "result/sweep_result.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace chimera::host;

namespace {

/// "| `key` | unit | meaning |" for each member; members of the structs within it follow under "key.member".
template <class T>
void add_rows(std::string& out, const std::string& prefix);

template <class M>
void add_members(std::string& out, const std::string& key) {
    using namespace json_fields;
    if constexpr (has_fields<M>)
        add_rows<M>(out, key + ".");
    else if constexpr (is_optional<M>)
        add_members<typename M::value_type>(out, key);
    else if constexpr (is_object_list<M>)
        add_members<typename M::value_type::second_type>(out, key + ".NAME");
    else if constexpr (is_map<M>)
        add_members<typename M::mapped_type>(out, key + ".NAME");
    else if constexpr (is_vector<M>)
        add_members<typename M::value_type>(out, key + "[]");
}

template <class T>
void add_rows(std::string& out, const std::string& prefix) {
    fields_of<T>([&](const auto&... rows) {
        const auto add = [&](const auto& row) {
            using member = std::remove_cvref_t<decltype(std::declval<T>().*row.member)>;
            const std::string key = prefix + row.name;
            out += "| `" + key + "` | " + row.unit + " | " + row.text + " |\n";
            add_members<member>(out, key);
        };
        (add(rows), ...);
    });
}

template <class T>
std::string members_table() {
    std::string out = "| member | unit | meaning |\n|---|---|---|\n";
    add_rows<T>(out, "");
    return out;
}

std::string metrics_table() {
    std::string out = "| metric | | unit | of | how it came about | definition |\n|---|---|---|---|---|---|\n";
    for (const metric_row& m : all_metrics()) {
        std::string definition;
        for (const char c : m.definition) definition += c == '|' ? std::string("\\|") : std::string(1, c);
        out += "| `" + std::string(m.name) + "` | " + std::string(m.label) + " | " + std::string(m.unit) + " | " +
               (m.level == metric_level::per_run ? "a run" : "requests") + " | " + name_of(m.from) + " | " +
               definition + " |\n";
    }
    return out;
}

/// The page with `table` between the two marks of that name.
std::string with_table(std::string page, const std::string& name, const std::string& table) {
    const std::string begin = "<!-- generated: " + name + " -->\n", end = "<!-- end -->\n";
    const std::size_t from = page.find(begin);
    REQUIRE_MESSAGE(from != std::string::npos, name);
    const std::size_t to = page.find(end, from);
    REQUIRE(to != std::string::npos);
    return page.replace(from + begin.size(), to - from - begin.size(), table);
}

} // namespace

TEST_CASE("docs/output.md has the tables that the files are made of") {
    std::ifstream in(CHIMERA_SOURCE_DIR "/docs/output.md", std::ios::binary);
    const std::string page{std::istreambuf_iterator<char>(in), {}};
    std::string expected = with_table(page, "metrics", metrics_table());
    expected = with_table(expected, "metrics.json", members_table<run_result>());
    expected = with_table(expected, "requests.jsonl", members_table<request_result>());
    expected = with_table(expected, "texts.jsonl", members_table<text_result>());
    expected = with_table(expected, "summary.json", members_table<campaign_result>());
    expected = with_table(expected, "sweep.json", members_table<sweep_result>());
    expected = with_table(expected, "cells.jsonl", members_table<cell_result>());
    std::ofstream("output.md", std::ios::binary) << expected;
    CHECK_MESSAGE(page == expected, "copy output.md of this test's folder over docs/output.md");
}
