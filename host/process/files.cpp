#include "process/files.hpp"

#include <chimera/sdk/owned_fd.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::host {

namespace {

[[noreturn]] void fail() { throw std::runtime_error("cannot be read: " + std::generic_category().message(errno)); }

const char* name_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

} // namespace

std::string read_regular_file(const std::filesystem::path& path, std::size_t most_bytes) {
    // Without O_NONBLOCK, opening a pipe waits for its writer.
    const sdk::owned_fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0) fail();
    if (!S_ISREG(status.st_mode))
        throw std::runtime_error(fmt::format("is {}; give a regular file", name_of(status.st_mode)));
    // The size is a hint: files of /proc have none.
    std::string text;
    constexpr std::size_t step = 64 * 1024;
    for (;;) {
        const std::size_t before = text.size();
        text.resize(before + step);
        const ssize_t n = read(file.get(), text.data() + before, step);
        if (n < 0 && errno != EINTR) fail();
        text.resize(before + static_cast<std::size_t>(n > 0 ? n : 0));
        if (text.size() > most_bytes)
            throw std::runtime_error(fmt::format("has more than {} MiB; is it the right file?", most_bytes >> 20U));
        if (n == 0) return text;
    }
}

std::filesystem::path installed_data() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "share" / "chimera";
}

std::filesystem::path installed_documentation() { return installed_data().parent_path() / "doc" / "chimera"; }

} // namespace chimera::host
