#include "workload/agent_prompts.hpp"
#include "workload/corpus.hpp"
#include "workload/ingest.hpp"

#include "temporary_folder.hpp"

#include <doctest/doctest.h>
#include <iterator>
#include <map>

using namespace chimera::host;
using chimera::test::temporary_folder;
namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> files_below(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        files[entry.path().lexically_relative(folder)] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
}

} // namespace

TEST_CASE("the corpus has 101 files, the same bytes and times for the same seed, others for another") {
    const temporary_folder a, b, c;
    generate_corpus(a.path(), 1);
    generate_corpus(b.path() / "new" / "folder", 1);
    generate_corpus(c.path(), 2);
    const auto first = files_below(a.path());
    CHECK(first.size() == corpus_file_count);
    CHECK(first == files_below(b.path() / "new" / "folder"));
    CHECK(first != files_below(c.path()));
    CHECK(ingest(a.path()).latest_mtime == ingest(b.path()).latest_mtime);
}

TEST_CASE("the corpus is not written among other files") {
    const temporary_folder folder;
    folder.write("mine.csv", "a\n1\n");
    CHECK_THROWS_WITH_AS(generate_corpus(folder.path(), 1), doctest::Contains("is not empty"), std::runtime_error);
    CHECK(files_below(folder.path()).size() == 1);
}

TEST_CASE("the corpus is read whole, without a warning, and its metrics meet under one name") {
    const temporary_folder folder;
    generate_corpus(folder.path(), 1);
    const data_summary data = ingest(folder.path());
    CHECK(data.files() == corpus_file_count);
    CHECK(data.csv.files == 42);
    CHECK(data.json.files == 36);
    CHECK(data.markdown.files == 23);
    CHECK(data.tables == 23);
    CHECK(data.warnings.empty());
    CHECK(data.skipped == 0);
    CHECK(data.latest_mtime == 1761993660); // 2025-11-01 09:00 and 101 minutes
    REQUIRE(data.metrics.contains("tokens_per_second"));
    const metric_range& rate = data.metrics.at("tokens_per_second");
    CHECK(rate.n > data.rows + 36 * 3);
    CHECK(rate.min > 60);
    CHECK(rate.max < 125);
    CHECK(rate.mean() > rate.min);
    CHECK(data.metrics.contains("ttft_ms"));
    CHECK(data.metrics.contains("gpu_util_pct"));
}

TEST_CASE("analysis prompts of the default corpus have 800 to 1000 tokens of 4 bytes") {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const temporary_folder folder;
        generate_corpus(folder.path(), seed);
        const data_summary data = ingest(folder.path());
        for (const char* id : {"collector", "insight", "agent7"}) {
            CAPTURE(id);
            const std::string prompt =
                make_analysis_prompt(analysis_template({}, id), "DataCollector", "gemma3:latest", data);
            CHECK(prompt.size() >= 3200);
            CHECK(prompt.size() <= 4000);
            CHECK(prompt.find("DataCollector") != std::string::npos);
            CHECK(prompt.find("tokens_per_second: n=") != std::string::npos);
            CHECK(prompt.find("{{") == std::string::npos);
        }
    }
}
