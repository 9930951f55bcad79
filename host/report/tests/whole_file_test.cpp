#include "report/whole_file.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
namespace fs = std::filesystem;

TEST_CASE("a file gets its name with its last piece, however many there are") {
    const chimera::test::temporary_folder folder;
    const fs::path path = folder / "big";
    std::string all;
    {
        whole_file file(path);
        for (int i = 0; i < 30000; ++i) {
            const std::string line = std::to_string(i) + "\n";
            file.append(line);
            all += line;
        }
        CHECK_FALSE(fs::exists(path));
        file.commit();
    }
    CHECK(read_whole(path) == all);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("nothing is left of a file that was not committed, and an older one stays") {
    const chimera::test::temporary_folder folder;
    const fs::path path = folder / "file";
    write_whole(path, "old");
    { whole_file(path).append(std::string(100'000, 'x')); }
    CHECK(read_whole(path) == "old");
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("where a file cannot be written, the error names it") {
    const chimera::test::temporary_folder folder;
    CHECK_THROWS_AS(write_whole(folder / "none" / "file", "x"), result_file_error);
    fs::create_directory(folder / "taken");
    CHECK_THROWS_AS(write_whole(folder / "taken", "x"), result_file_error); // is a folder
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
    CHECK(read_whole(folder / "none").empty());
}
