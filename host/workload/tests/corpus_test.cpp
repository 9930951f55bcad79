#include "workload/corpus.hpp"
#include "workload/data_summary.hpp"
#include "workload/prompt_template.hpp"

#include "temporary_folder.hpp"

#include <algorithm>
#include <chrono>
#include <doctest/doctest.h>

using namespace chimera::host;
using chimera::test::temporary_folder;
namespace fs = std::filesystem;

namespace {

/// The corpus in a folder, as files.
void write(const std::vector<text_file>& files, const temporary_folder& folder) {
    for (const text_file& file : files) {
        const fs::path path = folder.write(file.path, file.bytes);
        fs::last_write_time(
            path, std::chrono::file_clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(file.mtime))));
    }
}

bool same(const text_file& a, const text_file& b) {
    return a.path == b.path && a.bytes == b.bytes && a.mtime == b.mtime;
}

} // namespace

TEST_CASE("the corpus has 101 files, the same bytes and times for the same seed, others for another") {
    const auto first = generate_corpus(1);
    CHECK(first.size() == corpus_file_count);
    CHECK(std::ranges::equal(first, generate_corpus(1), same));
    CHECK(!std::ranges::equal(first, generate_corpus(2), same));
}

TEST_CASE("files in memory make the same prompts as the same files in a folder") {
    const temporary_folder folder;
    const auto files = generate_corpus(1);
    write(files, folder);
    const data_summary in_memory = ingest(files), on_disk = ingest(folder.path());
    constexpr std::size_t everything = 1'000'000;
    CHECK(render(in_memory, everything) == render(on_disk, everything));
    CHECK(in_memory.headings == on_disk.headings);
    CHECK(in_memory.bytes() == on_disk.bytes());
    // What a prompt said when the corpus was written to a folder first.
    CHECK(render(in_memory, 160).starts_with("Files: 101 (42 CSV, 36 JSON, 23 Markdown), "));
}

TEST_CASE("the corpus is read whole, without a warning, and its metrics meet under one name") {
    const data_summary data = ingest(generate_corpus(1));
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
        const data_summary data = ingest(generate_corpus(seed));
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
