#include "workload/data_summary.hpp"

#include "temporary_folder.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace chimera::host;
using chimera::test::temporary_folder;
namespace fs = std::filesystem;

namespace {

const ingest_warning& warning_of(const data_summary& data, std::string_view path) {
    const auto found =
        std::find_if(data.warnings.begin(), data.warnings.end(), [&](const auto& w) { return w.path == path; });
    REQUIRE_MESSAGE(found != data.warnings.end(), "no warning about " << path);
    return *found;
}

std::size_t open_files() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

} // namespace

TEST_CASE("good files of every type add up, hidden and foreign ones do not count") {
    const temporary_folder folder;
    folder.write("a.csv", "\xEF\xBB\xBFttft_ms\n1\n2\n");
    folder.write("deep/er/b.JSON", R"({"ttft_ms": 6})");
    folder.write("c.md", "# Title\n- ttft: 3 ms\n");
    folder.write("d.markdown", "# Other\n");
    folder.write("e.txt", "text");
    folder.write(".hidden.csv", "broken\"");
    folder.write(".git/x.json", "{");
    const data_summary data = ingest(folder.path());
    CHECK(data.warnings.empty());
    CHECK(data.csv.files == 1);
    CHECK(data.json.files == 1);
    CHECK(data.markdown.files == 2);
    CHECK(data.other_files == 1);
    CHECK(data.csv.bytes == 15);
    CHECK(data.metrics.at("ttft_ms").n == 4);
    CHECK(data.metrics.at("ttft_ms").mean() == 3);
    CHECK(data.headings == std::vector<std::string>{"Title", "Other"});
    CHECK(data.folders == std::map<std::string, std::size_t>{{".", 3}, {"deep/er", 1}});
}

TEST_CASE("bad files are skipped with path, place and reason, and the good ones still count") {
    const temporary_folder folder;
    folder.write("good.csv", "a\n1\n");
    folder.write("sub/truncated.json", "{\"a\": 5,\n\"b\": [1,");
    folder.write("binary.csv", std::string_view("a,b\n1,\0", 7));
    folder.write("latin1.md", "# ok\ncaf\xE9\n");
    folder.write("large.json", std::string(2000, ' ') + "{}");
    folder.write("empty.json", "");
    folder.write("empty.csv", "");
    fs::create_symlink("nowhere.csv", folder.path() / "dangling.csv");
    REQUIRE(mkfifo((folder.path() / "pipe.json").c_str(), 0600) == 0);
    const std::size_t files_before = open_files();
    const data_summary data = ingest(folder.path(), 1000);
    CHECK(open_files() == files_before);
    CHECK(data.files() == 1);
    CHECK(data.metrics.size() == 1);
    CHECK(data.metrics.at("a").n == 1); // nothing of the truncated file
    CHECK(data.skipped == 8);
    CHECK(data.warnings.size() == 8);
    CHECK(warning_of(data, "sub/truncated.json").line == 2U);
    CHECK(to_string(warning_of(data, "sub/truncated.json")).starts_with("sub/truncated.json:2:9: not valid JSON"));
    CHECK(to_string(warning_of(data, "binary.csv")).starts_with("binary.csv:2:3: binary"));
    CHECK(to_string(warning_of(data, "latin1.md")).starts_with("latin1.md:2: binary"));
    CHECK(warning_of(data, "large.json").reason == "2002 bytes, the limit is 1000");
    CHECK(warning_of(data, "dangling.csv").reason == "a link that leads nowhere");
    CHECK(warning_of(data, "pipe.json").reason == "not a regular file");
    CHECK(warning_of(data, "empty.csv").reason == "no row in it");
    CHECK(warning_of(data, "empty.json").line == 1U);
}

TEST_CASE("link loops end, and a folder that is linked twice counts once") {
    const temporary_folder folder;
    folder.write("sub/a.csv", "a\n1\n");
    fs::create_directory_symlink("..", folder.path() / "sub" / "up");
    fs::create_directory_symlink("sub", folder.path() / "zub");
    fs::create_symlink("self", folder.path() / "self");
    const data_summary data = ingest(folder.path());
    CHECK(data.csv.files == 1);
    CHECK(data.warnings.size() == 3);
    CHECK(warning_of(data, "sub/up").reason == "a link to a folder that has been read already");
    CHECK(warning_of(data, "zub").reason == "a link to a folder that has been read already");
    CHECK(warning_of(data, "self").reason.find("symbolic links") != std::string::npos);
}

TEST_CASE("what may not be read is skipped with the system's reason") {
    const temporary_folder folder;
    folder.write("good.csv", "a\n1\n");
    fs::permissions(folder.write("secret.csv", "a\n1\n"), fs::perms::none);
    folder.write("locked/a.csv", "a\n1\n");
    fs::permissions(folder.path() / "locked", fs::perms::none);
    fs::permissions(folder.path(), fs::perms::all);
    const bool is_root = ::geteuid() == 0; // root may read everything: the scan then runs as nobody
    if (is_root) REQUIRE(::seteuid(65534) == 0);
    const data_summary data = ingest(folder.path());
    if (is_root) REQUIRE(::seteuid(0) == 0);
    fs::permissions(folder.path() / "locked", fs::perms::owner_all);
    CHECK(data.csv.files == 1);
    CHECK(data.warnings.size() == 2);
    CHECK(warning_of(data, "secret.csv").reason == "Permission denied");
    CHECK(warning_of(data, "locked").reason == "Permission denied");
}

TEST_CASE("a folder that is not there is an error, an empty one is not") {
    const temporary_folder folder;
    CHECK(ingest(folder.path()).files() == 0);
    CHECK_FALSE(ingest(folder.path()).latest_mtime);
    CHECK_THROWS_WITH_AS(ingest(folder.path() / "no"), doctest::Contains("No such file"), std::runtime_error);
    CHECK_THROWS_WITH_AS(ingest(folder.write("file", "")), doctest::Contains("Not a directory"), std::runtime_error);
}

TEST_CASE("a rendered summary keeps its bound whatever it holds, and says what it left out") {
    data_summary data;
    for (int i = 0; i < 500; ++i) {
        data.metrics["metric_" + std::to_string(i)].add(i);
        data.headings.push_back("Heading " + std::to_string(i));
        data.warnings.push_back({"file_" + std::to_string(i), "bad", 1, 2});
    }
    data.metrics["most"].add(1);
    data.metrics["most"].add(2);
    for (const std::size_t limit : {0, 10, 100, 500, 1000, 2000, 3000, 10000}) {
        const std::string text = render(data, limit);
        CAPTURE(limit);
        CHECK(text.size() <= limit);
        if (limit >= 500) {
            CHECK(text.find("- most: n=2, mean=1.5, min=1, max=2\n") != std::string::npos);
            CHECK(text.find(" more\n") != std::string::npos);
        }
        if (limit >= 2000) {
            CHECK(text.find("- file_0:1:2: bad") != std::string::npos);
            CHECK(text.find("- Heading 0\n") != std::string::npos);
            CHECK(text.size() > limit - 100);
        }
    }
    const std::string whole = render(data, 1 << 20);
    CHECK(whole.find(" more\n") == std::string::npos);
    CHECK(whole.find("- Heading 499\n") != std::string::npos);
}
