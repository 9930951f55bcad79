#include "process/files.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <stdexcept>

#include <sys/stat.h>
#include <unistd.h>

using chimera::host::read_regular_file;
namespace fs = std::filesystem;

namespace {

std::string why_not(const fs::path& path, std::size_t most = 1024) {
    try {
        read_regular_file(path, most);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return {};
}

} // namespace

TEST_CASE("a regular file is read whole, and anything that may never end is refused") {
    const fs::path folder = fs::temp_directory_path() / ("regular-file-" + std::to_string(getpid()));
    fs::create_directory(folder);
    const fs::path file = folder / "file", pipe = folder / "pipe";
    std::ofstream(file, std::ios::binary) << std::string("a\0b", 3);
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);

    CHECK(read_regular_file(file, 3) == std::string("a\0b", 3));
    CHECK(!read_regular_file("/proc/self/status", 1 << 20).empty()); // its size is said to be 0
    CHECK(why_not(file, 2).find("has more than") == 0);
    CHECK(why_not(folder) == "is a folder; give a regular file");
    CHECK(why_not(pipe) == "is a pipe; give a regular file"); // and nobody waited for a writer
    CHECK(why_not("/dev/zero") == "is a device; give a regular file");
    CHECK(why_not("/proc/self/mem").find("cannot be read") == 0);
    CHECK(why_not(folder / "none").find("No such file") != std::string::npos);
    fs::remove_all(folder);
}
