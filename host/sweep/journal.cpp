#include "sweep/journal.hpp"

#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::host {
namespace {

cell_result cell_of(std::string_view line, const std::string& place) {
    const json document = json::parse(line);
    if (const std::string fault = check_seal(line, seal_form::line).fault; !fault.empty())
        throw results_error(fmt::format("{}: {}", place, fault));
    return from_json<cell_result>(document, place);
}

/// The last line of a cell counts.
void put(std::vector<cell_result>& entries, cell_result entry) {
    std::erase_if(entries, [&](const cell_result& e) {
        return e.run == entry.run && e.runtime == entry.runtime && e.config == entry.config;
    });
    entries.push_back(std::move(entry));
}

struct journal_text {
    std::string whole; ///< the complete lines
    std::string torn;  ///< the rest
};

/// The line that was being written when the sweep died has no end, and its cell was not finished. But a line with a
/// valid seal lacks nothing except its end.
journal_text split(std::string text) {
    const std::size_t whole = text.rfind('\n') + 1; // 0 where there is no line
    return {text.substr(0, whole), text.substr(whole)};
}

bool lacks_only_its_end(std::string_view line) {
    const seal_check check = check_seal(line, seal_form::line);
    return check.fault.empty() && !check.seal.empty();
}

std::vector<cell_result> entries_of(std::string_view whole, const std::filesystem::path& file) {
    std::vector<cell_result> out;
    int number = 1;
    for (std::size_t begin = 0; begin < whole.size(); ++number) {
        const std::size_t end = whole.find('\n', begin);
        const std::string place = fmt::format("{}:{}", file.string(), number);
        constexpr const char* advice = "take the line out: --resume takes its run up again where it is whole";
        try {
            put(out, cell_of(whole.substr(begin, end - begin), place));
        } catch (const json::exception& e) {
            throw results_error(fmt::format("{}: not a line of a sweep's journal: {}; {}", place, e.what(), advice));
        } catch (const results_error& e) {
            throw results_error(fmt::format("{}; or {}", e.what(), advice));
        }
        begin = end + 1;
    }
    return out;
}

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
    throw std::system_error(errno, std::generic_category(), fmt::format("{}: {}", file.string(), what));
}

} // namespace

std::string folder_of(const cell_result& e) { return fmt::format("{}/{}/run_{}", e.runtime, e.config, e.run); }

sweep_journal::sweep_journal(const std::filesystem::path& folder)
    : file_(folder / "cells.jsonl"), fd_(open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (!fd_) fail(file_, "cannot be opened");
    if (struct stat status{}; fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode))
        throw std::runtime_error(fmt::format("{}: is not a regular file; put it out of the way", file_.string()));
    // Who only looks whether a sweep runs holds it for a moment (journal_is_held).
    constexpr int tries = 10;
    constexpr int between_tries_ms = 20;
    int left = tries;
    while (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) fail(file_, "cannot be locked");
        if (--left > 0) {
            poll(nullptr, 0, between_tries_ms);
            continue;
        }
        throw std::runtime_error(fmt::format("{}: another sweep is running in this folder", file_.string()));
    }
    const journal_text text = split(read_whole(file_, most_lines_bytes));
    entries_ = entries_of(text.whole, file_); // first: a refused journal is not changed
    if (text.torn.empty()) return;
    if (lacks_only_its_end(text.torn)) {
        if (write(fd_.get(), "\n", 1) != 1) fail(file_, "cannot be mended");
        put(entries_, cell_of(text.torn, file_.string()));
    } else if (ftruncate(fd_.get(), static_cast<off_t>(text.whole.size())) != 0) {
        fail(file_, "cannot be mended");
    }
}

void sweep_journal::check_there() const {
    struct stat status {};
    if (fstat(fd_.get(), &status) == 0 && status.st_nlink > 0) return;
    throw std::runtime_error(
        fmt::format("{}: is gone: somebody removed the sweep's folder while the sweep ran", file_.string()));
}

void sweep_journal::append(cell_result entry) {
    check_there();
    entry.folder = folder_of(entry);
    std::string line;
    append_sealed_line(line, entry);
    const off_t before = lseek(fd_.get(), 0, SEEK_END);
    std::size_t written = 0;
    while (written < line.size()) {
        const ssize_t n = write(fd_.get(), line.data() + written, line.size() - written);
        if (n >= 0)
            written += static_cast<std::size_t>(n);
        else if (errno != EINTR)
            break;
    }
    if (written < line.size() || fsync(fd_.get()) != 0) {
        const int why = errno;
        static_cast<void>(ftruncate(fd_.get(), before) + 1); // if this fails too, the next opening removes the rest
        errno = why;
        fail(file_, "cannot be written");
    }
    put(entries_, std::move(entry));
}

bool journal_is_held(const std::filesystem::path& folder) {
    const sdk::owned_fd fd(open((folder / "cells.jsonl").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return fd && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::vector<cell_result> read_journal(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "cells.jsonl";
    if (std::error_code ignored; !std::filesystem::exists(file, ignored)) return {};
    journal_text text;
    try {
        text = split(read_regular_file(file, most_lines_bytes));
    } catch (const std::runtime_error& e) {
        throw std::runtime_error(fmt::format("{}: {}", file.string(), e.what()));
    }
    std::vector<cell_result> out = entries_of(text.whole, file);
    if (lacks_only_its_end(text.torn)) put(out, cell_of(text.torn, file.string()));
    return out;
}

} // namespace chimera::host
