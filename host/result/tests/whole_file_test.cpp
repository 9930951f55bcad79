#include "result/whole_file.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

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
    const auto error = [](const fs::path& path) {
        try {
            write_whole(path, "x");
        } catch (const result_file_error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    const std::string none = folder / "none" / "file", taken = folder / "taken";
    CHECK(error(none).starts_with(none));
    fs::create_directory(taken);
    CHECK(error(taken).starts_with(taken + ": cannot be renamed into place: "));
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
    CHECK(read_whole(folder / "none").empty());
    CHECK_THROWS_AS(sync_path(folder / "none"), result_file_error);
    CHECK_NOTHROW(sync_path(folder.path()));
}

TEST_CASE("a file that is not synced is there all the same") {
    const chimera::test::temporary_folder folder;
    whole_file file(folder / "file");
    file.append("text");
    file.commit_unsynced();
    CHECK(read_whole(folder / "file") == "text");
}

TEST_CASE("a symbolic link that leads nowhere is named, wherever it is on the way to a folder") {
    const chimera::test::temporary_folder folder;
    fs::create_directory_symlink(folder / "nowhere", folder / "link");
    const std::string said = (folder / "link").string() + ": is a symbolic link to " + (folder / "nowhere").string() +
                             ", which is not there";
    for (const char* path : {"link", "link/a/b"})
        CHECK_THROWS_WITH_AS(make_folders(folder / path), doctest::Contains(said.c_str()), result_file_error);
    fs::create_directory(folder / "nowhere");
    make_folders(folder / "link/a/b");
    CHECK(fs::is_directory(folder / "nowhere/a/b"));
}

TEST_CASE("what killed writers left is removed, and what others write is not") {
    const chimera::test::temporary_folder folder;
    const auto path = [&](const char* name) { return folder / name; };
    fs::create_directories(path("run_1"));
    const pid_t killed = fork();
    REQUIRE(killed >= 0);
    if (killed == 0) {
        whole_file one(path("one")), two(path("run_1/two"));
        raise(SIGKILL);
    }
    waitpid(killed, nullptr, 0);
    whole_file mine(path("mine"));
    folder.write("other.1-0@another-machine.tmp", "");
    folder.write("notes.tmp", "");
    CHECK(std::distance(fs::recursive_directory_iterator(folder.path()), {}) == 6);
    remove_leftovers(folder.path());
    CHECK(std::distance(fs::recursive_directory_iterator(folder.path()), {}) == 4);
    mine.commit();
    CHECK(fs::exists(path("mine")));
}
