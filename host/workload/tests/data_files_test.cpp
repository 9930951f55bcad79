#include "workload/data_files.hpp"
#include "workload/markdown.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

namespace {

file_facts csv(std::string_view text) {
    std::vector<ingest_warning> warnings;
    file_facts facts = read_csv(text, warnings);
    CHECK(warnings.empty());
    return facts;
}

template <class Read>
bad_file failure(Read&& read) {
    try {
        read();
    } catch (const bad_file& bad) {
        return bad;
    }
    FAIL("expected bad_file");
    return {"", 0, 0};
}

bad_file csv_failure(std::string_view text) {
    return failure([&] { csv(text); });
}
bad_file json_failure(std::string_view text) {
    return failure([&] { read_json(text); });
}

} // namespace

TEST_CASE("CSV: numeric columns are metrics, others are not") {
    const file_facts facts = csv("Run,TTFT (ms),note\r\n1,100.5,a\r\n2,99.5,b\r\n3,,c\r\n");
    CHECK(facts.rows == 3);
    CHECK(facts.metrics.size() == 2);
    const metric_range& ttft = facts.metrics.at("ttft_ms");
    CHECK(ttft.n == 2);
    CHECK(ttft.mean() == doctest::Approx(100));
    CHECK(ttft.min == 99.5);
    CHECK(ttft.max == 100.5);
}

TEST_CASE("CSV: quotes, doubled quotes, commas and line ends in fields, CRLF and LF mixed") {
    const file_facts facts = csv("\"a\",\"b \"\"x\"\", y\",c\r\n"
                                 "1,\"two\r\nlines, \"\"quoted\"\"\",3\n"
                                 "\"2\",\"\",\"4\"\r\n");
    CHECK(facts.rows == 2);
    CHECK(facts.metrics.size() == 2);
    CHECK(facts.metrics.at("a").max == 2);
    CHECK(facts.metrics.at("c").max == 4);
}

TEST_CASE("CSV: quirks that are not mistakes") {
    CHECK(csv("a,b\n1,2").rows == 1);
    CHECK(csv("a,b\n1,2\r").rows == 1);
    CHECK(csv("a,b\n\n\r\n1,2\n\n").rows == 1);
    CHECK(csv("a\n").rows == 0);
    CHECK(csv("a,\n1,5\n").metrics.contains("column_2"));
    CHECK(csv("a,b\n1,\n").metrics.size() == 1);
    CHECK(csv("a,A\n1,3\n").metrics.at("a").n == 2);
    CHECK(csv("1,2\n3,4\n").metrics.at("column_1").n == 2);
    CHECK(csv("a\n +1.5 \n-2e3\n").metrics.at("a").min == -2000);
    CHECK(csv("a,b,c,d\nnan,inf,0x10,1.2.3\n").metrics.empty());
    CHECK(csv("a,b\n1,\"\"\"\"\n").metrics.size() == 1);
    CHECK(csv("a,b\r1,2\r").rows == 1);
    CHECK(csv("a,b\n \"1\" ,\"2\"\n").metrics.size() == 2);
}

TEST_CASE("CSV: rows of another width are left out with one warning that says where") {
    std::vector<ingest_warning> warnings;
    const file_facts facts = read_csv("a,b\n1,2\n3\n4,5,6\n7,8\n", warnings);
    CHECK(facts.rows == 2);
    CHECK(facts.metrics.at("a").max == 7);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].line == 3U);
    CHECK(warnings[0].reason.find("2 rows") != std::string::npos);
}

TEST_CASE("CSV: mistakes are named with line and column") {
    bad_file bad = csv_failure("a,b\n1,\"open\nand on\n");
    CHECK(std::string(bad.what()).find("never closed") != std::string::npos);
    CHECK(bad.line == 2);
    CHECK(bad.column == 3);
    bad = csv_failure("a,b\n\n\r\n\"open");
    CHECK(bad.line == 4);
    CHECK(bad.column == 1);
    bad = csv_failure("a,b\n\"x\"y,2\n");
    CHECK(bad.line == 2);
    CHECK(bad.column == 4);
    bad = csv_failure("a,b\n\"x\ny\",5\n12\"3,2\n");
    CHECK(bad.line == 4);
    CHECK(bad.column == 3);
    CHECK(std::string(csv_failure("").what()) == "no row in it");
    CHECK(std::string(csv_failure("\r\n\n").what()) == "no row in it");
}

TEST_CASE("JSON: every number counts for the nearest key above it") {
    const file_facts facts =
        read_json(R"({"TTFT ms":[1,2.5,{"x":7}],"b":{"x":-3,"s":"9","t":true,"n":null},"c":[[4],[5]],"ttft_ms":3} )");
    CHECK(facts.metrics.size() == 3);
    CHECK(facts.metrics.at("ttft_ms").n == 3);
    CHECK(facts.metrics.at("x").min == -3);
    CHECK(facts.metrics.at("c").sum == 9);
    CHECK(read_json("[1,2]").metrics.empty());
    CHECK(read_json("18446744073709551615").metrics.empty());
}

TEST_CASE("JSON: mistakes are named with line and column") {
    bad_file bad = json_failure("{\"a\": 1,\n \"b\": tru }");
    CHECK(bad.line == 2);
    CHECK(bad.column >= 7);
    bad = json_failure("{\"a\": [1, 2");
    CHECK(bad.line == 1);
    CHECK(bad.column == 12);
    CHECK(json_failure("").line == 1);
    CHECK(json_failure("{} {}").column == 4);
    CHECK(json_failure("{\"a\":1e999}").line == 1);
    CHECK(json_failure(std::string(1000000, '[')).line == 1);
}

TEST_CASE("Markdown: headings of both kinds, outside of code and front matter") {
    const file_facts facts =
        read_markdown("---\ntitle: x\n---\n# One #\n\nTwo\n===\n\nThree **bold**\r\n---\r\n"
                      "```sh\n# no heading\n```\n####### no\n#no\n###\tFour ###\n\n---\n\n    # code\n");
    CHECK(facts.headings == std::vector<std::string>{"One", "Two", "Three bold", "Four"});
}

TEST_CASE("Markdown: tables are counted, and a rule without a head is none") {
    CHECK(read_markdown("| a | b |\n|---|:-:|\n| 1 | 2 |\n\nx|y\n-|-\n").tables == 2);
    CHECK(read_markdown("|---|---|\n").tables == 0);
    CHECK(read_markdown("```\n|a|\n|---|\n```\n").tables == 0);
}

TEST_CASE("Markdown: list items with a number are metrics, with the unit in the name") {
    const file_facts facts =
        read_markdown("- TTFT: 603 ms\n* **Tokens per second**: 99.5\n+ GPU util = 80 %\n1. p99_ms: 5 ms\n"
                      "- **Load:** 1.5s\n- date: 2025-11-01\n- version: 1.2.3\n- runs: 5 of which 2 failed\n"
                      "- plain\n- name: text\nTTFT: 1 ms\n");
    CHECK(facts.metrics.size() == 5);
    CHECK(facts.metrics.at("ttft_ms").max == 603);
    CHECK(facts.metrics.at("tokens_per_second").max == 99.5);
    CHECK(facts.metrics.at("gpu_util_pct").max == 80);
    CHECK(facts.metrics.at("p99_ms").max == 5);
    CHECK(facts.metrics.at("load_s").max == 1.5);
}

TEST_CASE("names of metrics have one spelling") {
    CHECK(metric_name("**Tokens per second**") == "tokens_per_second");
    CHECK(metric_name("TTFT (ms)") == "ttft_ms");
    CHECK(metric_name("CPU %") == "cpu_pct");
    CHECK(metric_name("50%") == "50_pct");
    CHECK(metric_name("größe") == "größe");
    CHECK(metric_name(" - ") == "");
}

TEST_CASE("table cells keep an escaped bar") {
    CHECK(table_cells("| a \\| b | `c` |") == std::vector<std::string>{"a | b", "c"});
    CHECK(table_cells("a|b") == std::vector<std::string>{"a", "b"});
}
