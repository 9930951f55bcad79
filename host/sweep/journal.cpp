#include "sweep/journal.hpp"

#include "report/seal.hpp"
#include "report/whole_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

constexpr std::array<std::pair<cell_status, std::string_view>, 6> statuses{{{cell_status::ok, "ok"},
                                                                            {cell_status::failed, "failed"},
                                                                            {cell_status::crashed, "crashed"},
                                                                            {cell_status::timed_out, "timed_out"},
                                                                            {cell_status::not_needed, "not_needed"},
                                                                            {cell_status::lost, "lost"}}};

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

template <class T>
std::optional<T> optional_at(const json& j, const char* key) {
    const auto found = j.find(key);
    return found == j.end() || found->is_null() ? std::nullopt : std::optional<T>(found->get<T>());
}

std::string line_of(const journal_entry& e) {
    const json j{{"runtime", e.runtime},
                 {"config", e.config},
                 {"run", e.run},
                 {"config_hash", e.config_hash},
                 {"status", name_of(e.status)},
                 {"message", e.message},
                 {"exit_status", or_null(e.exit_status)},
                 {"wall_s", or_null(e.wall_s)},
                 {"efficiency_pct", or_null(e.efficiency_pct)},
                 {"metrics_crc32", e.metrics_crc32.empty() ? json(nullptr) : json(e.metrics_crc32)},
                 {"folder", folder_of(e)}}; // last: without its seal, the line should not look as if it had one
    return sealed_line(j);
}

journal_entry entry_of(std::string_view line) {
    const json j = json::parse(line);
    if (const std::string fault = check_seal(line, seal_form::line).fault; !fault.empty())
        throw std::runtime_error(fault);
    journal_entry e;
    e.runtime = j.at("runtime").get<std::string>();
    e.config = j.at("config").get<std::string>();
    e.run = j.at("run").get<int>();
    e.config_hash = j.at("config_hash").get<std::string>();
    const auto status = j.at("status").get<std::string>();
    const auto known = std::ranges::find(statuses, status, &std::pair<cell_status, std::string_view>::second);
    if (known == statuses.end()) throw std::runtime_error(fmt::format("unknown status \"{}\"", status));
    e.status = known->first;
    e.message = j.at("message").get<std::string>();
    e.exit_status = optional_at<int>(j, "exit_status");
    e.wall_s = optional_at<double>(j, "wall_s");
    e.efficiency_pct = optional_at<double>(j, "efficiency_pct");
    e.metrics_crc32 = optional_at<std::string>(j, "metrics_crc32").value_or("");
    return e;
}

/// The last line of a cell counts.
void put(std::vector<journal_entry>& entries, journal_entry entry) {
    std::erase_if(entries, [&](const journal_entry& e) {
        return e.run == entry.run && e.runtime == entry.runtime && e.config == entry.config;
    });
    entries.push_back(std::move(entry));
}

struct journal_text {
    std::string whole; ///< the lines that have an end
    std::string torn;  ///< what is behind them
};

/// The line that was being written when the sweep died has no end, and its cell was not finished; but one whose seal is
/// in order lacks nothing else.
journal_text split(std::string text) {
    const std::size_t whole = text.rfind('\n') + 1; // 0 where there is no line
    return {text.substr(0, whole), text.substr(whole)};
}

bool lacks_only_its_end(std::string_view line) {
    const seal_check check = check_seal(line, seal_form::line);
    return check.fault.empty() && !check.seal.empty();
}

std::vector<journal_entry> entries_of(std::string_view whole, const std::filesystem::path& file) {
    std::vector<journal_entry> out;
    int number = 1;
    for (std::size_t begin = 0; begin < whole.size(); ++number) {
        const std::size_t end = whole.find('\n', begin);
        try {
            put(out, entry_of(whole.substr(begin, end - begin)));
        } catch (const json::exception& e) {
            throw std::runtime_error(fmt::format("{}:{}: is no line of a sweep's journal: {}; take the line out: "
                                                 "--resume takes its run up again where it is whole",
                                                 file.string(), number, e.what()));
        } catch (const std::exception& e) {
            throw std::runtime_error(
                fmt::format("{}:{}: {}; or take the line out: --resume takes its run up again where "
                            "it is whole",
                            file.string(), number, e.what()));
        }
        begin = end + 1;
    }
    return out;
}

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
    throw std::system_error(errno, std::generic_category(), fmt::format("{}: {}", file.string(), what));
}

} // namespace

std::string_view name_of(cell_status status) noexcept {
    return std::ranges::find(statuses, status, &std::pair<cell_status, std::string_view>::first)->second;
}

std::string folder_of(const journal_entry& e) { return fmt::format("{}/{}/run_{}", e.runtime, e.config, e.run); }

sweep_journal::sweep_journal(const std::filesystem::path& folder)
    : file_(folder / "cells.jsonl"), fd_(open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (!fd_) fail(file_, "cannot be opened");
    if (struct stat status{}; fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode))
        throw std::runtime_error(fmt::format("{}: is not a regular file; put it out of the way", file_.string()));
    if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) fail(file_, "cannot be locked");
        throw std::runtime_error(fmt::format("{}: another sweep is running in this folder", file_.string()));
    }
    const journal_text text = split(read_whole(file_, most_lines_bytes));
    entries_ = entries_of(text.whole, file_); // first: a journal that is refused stays as it is
    if (text.torn.empty()) return;
    if (lacks_only_its_end(text.torn)) {
        if (write(fd_.get(), "\n", 1) != 1) fail(file_, "cannot be mended");
        put(entries_, entry_of(text.torn));
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

void sweep_journal::append(journal_entry entry) {
    check_there();
    const std::string line = line_of(entry);
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

std::vector<journal_entry> read_journal(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "cells.jsonl";
    if (std::error_code ignored; !std::filesystem::exists(file, ignored)) return {};
    journal_text text;
    try {
        text = split(read_regular_file(file, most_lines_bytes));
    } catch (const std::runtime_error& e) {
        throw std::runtime_error(fmt::format("{}: {}", file.string(), e.what()));
    }
    std::vector<journal_entry> out = entries_of(text.whole, file);
    if (lacks_only_its_end(text.torn)) put(out, entry_of(text.torn));
    return out;
}

} // namespace chimera::host
