#include "process/messages.hpp"

#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace chimera::host {

void open_standard_streams() {
    constexpr int set_up_failed = 3; // docs/output.md
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        // open() returns the lowest free number, and the streams below this one are open by now.
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd) _exit(set_up_failed);
    std::signal(SIGXFSZ, SIG_IGN);
}

namespace {

struct resource_limit {
    int error; ///< errno of a call that hits the limit
    __rlimit_resource which;
    const char* otherwise; ///< part of a library's own message; nullptr: it gives the text of errno
    rlim_t unit;
    const char* text;
};

constexpr resource_limit limits[] = {
    {EFBIG, RLIMIT_FSIZE, nullptr, 1024, "ulimit -f allows files of {} KB"},
    {EMFILE, RLIMIT_NOFILE, nullptr, 1, "ulimit -n allows {} open files"},
    {ENOMEM, RLIMIT_AS, "bad_alloc", 1024, "ulimit -v allows {} KB of address space"},
    {ENOMEM, RLIMIT_DATA, "bad_alloc", 1024, "ulimit -d allows {} KB of data"},
    // Also reported if a thread's stack cannot be mapped.
    {EAGAIN, RLIMIT_AS, nullptr, 1024, "ulimit -v allows {} KB of address space"},
    {EAGAIN, RLIMIT_DATA, nullptr, 1024, "ulimit -d allows {} KB of data"},
    {EAGAIN, RLIMIT_NPROC, nullptr, 1, "ulimit -u allows this user {} processes and threads"},
};

} // namespace

void say(std::string_view message) {
    const std::string line = printable(redacted(message)) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string with_limit(std::string message) {
    std::string found;
    for (const resource_limit& l : limits) {
        rlimit now{};
        const bool met = message.find(std::strerror(l.error)) != std::string::npos ||
                         (l.otherwise != nullptr && message.find(l.otherwise) != std::string::npos);
        if (!met || getrlimit(l.which, &now) != 0 || now.rlim_cur == RLIM_INFINITY) continue;
        if (l.which == RLIMIT_NPROC && !found.empty()) continue; // every user has this limit
        const std::string allowed = fmt::format(fmt::runtime(l.text), now.rlim_cur / l.unit);
        if (message.find(allowed) != std::string::npos) continue; // a child said it already
        found += (found.empty() ? "" : ", ") + allowed;
    }
    return found.empty() ? std::move(message) : fmt::format("{} ({})", message, found);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    const std::size_t width = b.size() + 1;
    std::vector<std::size_t> cells((a.size() + 1) * width);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cells[i * width + j]; };
    for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
    for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + differs});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
        }
    }
    return cells.back();
}

namespace {

constexpr std::size_t longest = 64; // a longer word is not a misspelling
constexpr std::size_t most = 12;    // words that a message lists

std::string list_of(std::string_view word, std::span<const std::string> known) {
    if (known.size() <= most) return fmt::format("known: \"{}\"", fmt::join(known, "\", \""));
    std::vector<std::pair<std::size_t, std::string_view>> nearest;
    for (const std::string& k : known) nearest.emplace_back(edit_distance(word.substr(0, longest), k), k);
    std::sort(nearest.begin(), nearest.end());
    const auto others = nearest.size() - most;
    nearest.resize(most);
    std::string text = "known: ";
    for (const auto& [distance, k] : nearest) text += fmt::format("\"{}\", ", k);
    return text + fmt::format("and {} more", others);
}

} // namespace

std::string suggest(std::string_view word, std::span<const std::string> known) {
    if (known.empty()) return {};
    if (word.size() <= longest) {
        std::size_t best = longest;
        const std::string* nearest = nullptr;
        for (const auto& candidate : known) {
            const auto distance = edit_distance(word, candidate);
            if (distance < best) best = distance, nearest = &candidate;
        }
        const auto near = std::max<std::size_t>(2, word.size() / 3);
        if (nearest != nullptr && best <= near && best < nearest->size())
            return fmt::format("did you mean \"{}\"?", *nearest);
    }
    return list_of(word, known);
}

} // namespace chimera::host
