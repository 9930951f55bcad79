#include "sweep/journal.hpp"

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
#include <unistd.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

constexpr std::array<std::pair<cell_status, std::string_view>, 5> statuses{{{cell_status::ok, "ok"},
                                                                            {cell_status::failed, "failed"},
                                                                            {cell_status::crashed, "crashed"},
                                                                            {cell_status::timed_out, "timed_out"},
                                                                            {cell_status::not_needed, "not_needed"}}};

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
                 {"folder", fmt::format("{}/{}/run_{}", e.runtime, e.config, e.run)}};
    return j.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

journal_entry entry_of(const std::string& line) {
    const json j = json::parse(line);
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
    return e;
}

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
    throw std::system_error(errno, std::generic_category(), fmt::format("{}: {}", file.string(), what));
}

} // namespace

std::string_view name_of(cell_status status) noexcept {
    return std::ranges::find(statuses, status, &std::pair<cell_status, std::string_view>::first)->second;
}

sweep_journal::sweep_journal(const std::filesystem::path& folder)
    : file_(folder / "cells.jsonl"), fd_(open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (!fd_) fail(file_, "cannot be opened");
    if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) fail(file_, "cannot be locked");
        throw std::runtime_error(fmt::format("{}: another sweep is running in this folder", file_.string()));
    }
    const std::string text = read_whole(file_);
    const std::size_t whole = text.rfind('\n') + 1; // 0 where there is no line
    if (whole != text.size() && ftruncate(fd_.get(), static_cast<off_t>(whole)) != 0) fail(file_, "cannot be mended");
    int number = 1;
    for (std::size_t begin = 0; begin < whole; ++number) {
        const std::size_t end = text.find('\n', begin);
        try {
            entries_.push_back(entry_of(text.substr(begin, end - begin)));
        } catch (const std::exception& e) {
            throw std::runtime_error(
                fmt::format("{}:{}: is no line of a sweep's journal: {}; take the line and the run's folder out to "
                            "have its cell run again",
                            file_.string(), number, e.what()));
        }
        begin = end + 1;
    }
}

void sweep_journal::append(journal_entry entry) {
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
    entries_.push_back(std::move(entry));
}

} // namespace chimera::host
