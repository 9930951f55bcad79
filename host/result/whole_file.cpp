#include "result/whole_file.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_kept = 64 * 1024;

/// Process numbers mean something on one machine only, and a folder may be another one's too.
std::string machine() {
    char name[HOST_NAME_MAX + 1] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

/// "metrics.json.1234-0@machine.tmp": what remove_leftovers() takes apart.
fs::path temporary_name(const fs::path& path) {
    static std::atomic<unsigned> serial{0};
    static const std::string here = machine();
    return fmt::format("{}.{}-{}@{}.tmp", path.string(), getpid(), serial++, here);
}

/// A link that somebody has put there is not followed.
sdk::owned_fd make_new(const fs::path& path) {
    return sdk::owned_fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
}

bool is_left_over(std::string_view name, const std::string& here) {
    const std::string end = fmt::format("@{}.tmp", here);
    if (!name.ends_with(end)) return false;
    name.remove_suffix(end.size());
    const std::string_view numbers = name.substr(name.rfind('.') + 1);
    pid_t pid = 0;
    const auto [rest, error] = std::from_chars(numbers.data(), numbers.data() + numbers.size(), pid);
    if (error != std::errc() || rest == numbers.data() + numbers.size() || *rest != '-' || pid <= 0) return false;
    return kill(pid, 0) != 0 && errno == ESRCH;
}

} // namespace

void fail_to_write(const fs::path& path, const char* what) {
    throw result_file_error(errno, std::generic_category(), fmt::format("{}: {}", path.string(), what));
}

void write_all(int fd, std::string_view rest, const std::string& failure) {
    while (!rest.empty()) {
        const ssize_t n = write(fd, rest.data(), rest.size());
        if (n > 0)
            rest.remove_prefix(static_cast<std::size_t>(n));
        else if (n < 0 && errno == EAGAIN) { // a pipe that somebody has made non-blocking
            pollfd room{fd, POLLOUT, 0};
            poll(&room, 1, -1);
        } else if (n < 0 && errno != EINTR)
            throw result_file_error(errno, std::generic_category(), failure);
    }
}

whole_file::whole_file(fs::path path)
    : path_(std::move(path)), temporary_(temporary_name(path_)), fd_(make_new(temporary_)) {
    if (!fd_ && errno == EEXIST && unlink(temporary_.c_str()) == 0) // of a killed process that had this number
        fd_ = make_new(temporary_);
    if (!fd_)
        fail_to_write(temporary_, errno == ENOENT ? "cannot be written, its folder is gone" : "cannot be written");
}

whole_file::~whole_file() {
    if (!committed_) unlink(temporary_.c_str());
}

void whole_file::append(std::string_view more) {
    kept_ += more;
    if (kept_.size() >= most_kept) flush();
}

void whole_file::flush() {
    write_all(fd_.get(), kept_, temporary_.string() + ": cannot be written");
    kept_.clear();
}

void whole_file::commit() {
    flush();
    if (fsync(fd_.get()) != 0) fail_to_write(temporary_, "cannot be synced");
    commit_unsynced();
}

void whole_file::commit_unsynced() {
    flush();
    if (close(fd_.release()) != 0) fail_to_write(temporary_, "cannot be written"); // some file systems only say so now
    if (rename(temporary_.c_str(), path_.c_str()) != 0)
        fail_to_write(path_, errno == ENOENT ? "cannot be renamed into place, its folder is gone"
                                             : "cannot be renamed into place");
    committed_ = true;
}

void make_folders(const fs::path& path) {
    fs::path so_far;
    for (const fs::path& step : path) {
        so_far /= step;
        std::error_code ignored;
        if (fs::is_symlink(so_far, ignored) && !fs::exists(so_far, ignored))
            throw result_file_error(ENOENT, std::generic_category(),
                                    fmt::format("{}: is a symbolic link to {}, which is not there; make that folder or "
                                                "remove the link",
                                                so_far.string(), fs::read_symlink(so_far, ignored).string()));
    }
    std::error_code ec;
    fs::create_directories(path, ec);
    const bool gone = ec == std::errc::no_such_file_or_directory; // removed between two steps
    if (ec)
        throw result_file_error(
            ec, fmt::format("{}: cannot make the folder{}", path.string(), gone ? ", the one above it is gone" : ""));
}

void remove_leftovers(const fs::path& folder) {
    const std::string here = machine();
    std::error_code ignored;
    std::vector<fs::path> found;
    for (fs::recursive_directory_iterator it(folder, ignored), end; it != end; it.increment(ignored)) {
        if (it->is_directory(ignored) && fs::exists(it->path() / "metrics.json", ignored))
            it.disable_recursion_pending();
        else if (is_left_over(it->path().filename().string(), here))
            found.push_back(it->path());
    }
    for (const fs::path& path : found) fs::remove(path, ignored);
}

void sync_path(const fs::path& path) {
    const sdk::owned_fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || fsync(fd.get()) != 0) fail_to_write(path, "cannot be synced");
}

void try_to_sync(const fs::path& path) noexcept {
    if (const sdk::owned_fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)); fd) fsync(fd.get());
}

void write_whole(const fs::path& path, std::string_view content) {
    whole_file file(path);
    file.append(content);
    file.commit();
}

void write_to(const fs::path& path, std::string_view content) {
    std::error_code ignored;
    const fs::file_status there = fs::status(path, ignored);
    if (!fs::exists(there) || fs::is_regular_file(there)) // renamed over a link, the file would take the link's place
        return write_whole(fs::is_symlink(path, ignored) && fs::exists(there) ? fs::canonical(path) : path, content);
    const sdk::owned_fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) fail_to_write(path, "cannot be written");
    write_all(fd.get(), content, path.string() + ": cannot be written");
}

std::string read_whole(const fs::path& path, std::size_t most_bytes) {
    try {
        return read_regular_file(path, most_bytes);
    } catch (const std::runtime_error&) {
        return {};
    }
}

} // namespace chimera::host
