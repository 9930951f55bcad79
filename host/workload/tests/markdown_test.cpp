#include "workload/markdown.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

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
