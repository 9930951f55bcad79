#include "workload/data_summary.hpp"

#include "protocol/excerpt.hpp"
#include "workload/data_files.hpp"
#include "workload/markdown.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::host {

namespace {

namespace fs = std::filesystem;

/// Text of at most `limit` bytes, made of whole lines.
class bounded_text {
  public:
    explicit bounded_text(std::size_t limit) : limit_(limit) {}

    bool fits(std::size_t bytes) const { return out_.size() + bytes <= limit_; }
    void add(const std::string& line) {
        if (fits(line.size() + 1)) out_ += line + '\n';
    }

    /// A list with a title. Keeps `spare` bytes free for later lists, and states how many lines it left out.
    void add_list(const std::string& title, const std::vector<std::string>& lines, std::size_t spare) {
        constexpr std::size_t room_for_rest = 24;
        if (lines.empty() || !fits(title.size() + lines.front().size() + 2 + room_for_rest + spare)) return;
        add(title);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            const bool last = i + 1 == lines.size();
            if (!fits(lines[i].size() + 1 + (last ? 0 : room_for_rest) + spare)) {
                add(fmt::format("... and {} more", lines.size() - i));
                return;
            }
            add(lines[i]);
        }
    }

    std::string take() { return std::move(out_); }

  private:
    std::size_t limit_;
    std::string out_;
};

std::vector<std::string> metric_lines(const metric_table& metrics) {
    std::vector<std::pair<std::string_view, const metric_range*>> order;
    for (const auto& [name, range] : metrics) order.emplace_back(name, &range);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second->n > b.second->n; });
    std::vector<std::string> lines;
    for (const auto& [name, range] : order) {
        lines.push_back(fmt::format("- {}: n={}, mean={:.6g}, min={:.6g}, max={:.6g}", name, range->n, range->mean(),
                                    range->min, range->max));
    }
    return lines;
}

enum class file_type { csv, json, markdown, other };

file_type type_of(const fs::path& path) {
    const std::string extension = lower_case(path.extension().string());
    if (extension == ".csv") return file_type::csv;
    if (extension == ".json") return file_type::json;
    return extension == ".md" || extension == ".markdown" ? file_type::markdown : file_type::other;
}

std::string text_of_errno() { return std::generic_category().message(errno); }

class open_file {
  public:
    /// Opens without waiting: a named pipe must not block the scan.
    explicit open_file(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        if (fd_ < 0) throw bad_file(text_of_errno(), 0, 0);
    }
    ~open_file() { ::close(fd_); }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;

    struct stat status() const {
        struct stat status {};
        if (::fstat(fd_, &status) != 0) throw bad_file(text_of_errno(), 0, 0);
        return status;
    }

    /// Reads to the end, but never more than `limit` bytes: a file may grow while it is read.
    std::string read(std::uint64_t limit) const {
        std::string text;
        char buffer[65536];
        while (true) {
            const ssize_t got = ::read(fd_, buffer, sizeof buffer);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw bad_file(text_of_errno(), 0, 0);
            if (got == 0) return text;
            text.append(buffer, static_cast<std::size_t>(got));
            if (text.size() > limit) throw bad_file(fmt::format("larger than {} bytes", limit), 0, 0);
        }
    }

  private:
    int fd_;
};

/// Throws bad_file if the text has a zero byte or is not UTF-8.
void require_text(std::string_view text) {
    std::size_t number = 0;
    for (const std::string_view line : lines_of(text)) {
        ++number;
        if (const auto zero = line.find('\0'); zero != std::string_view::npos) {
            throw bad_file("binary data (a zero byte)", number, zero + 1);
        }
        if (!is_utf8(line)) throw bad_file("binary data (not UTF-8)", number, 0);
    }
}

/// Adds up the content of files.
class gathering {
  public:
    /// Throws bad_file.
    void read(const fs::path& name, file_type type, std::string_view bytes, std::int64_t mtime) {
        const std::string_view text = without_byte_order_mark(bytes);
        require_text(text);
        std::vector<ingest_warning> warnings;
        file_facts facts;
        file_count* count = &summary_.csv;
        if (type == file_type::csv) {
            facts = read_csv(text, warnings);
        } else if (type == file_type::json) {
            facts = read_json(text);
            count = &summary_.json;
        } else {
            facts = read_markdown(text);
            count = &summary_.markdown;
        }
        ++count->files;
        count->bytes += bytes.size();
        ++summary_.folders[name.has_parent_path() ? name.parent_path().string() : "."];
        add(facts);
        for (auto& warning : warnings) {
            warning.path = name.string();
            summary_.warnings.push_back(std::move(warning));
        }
        summary_.latest_mtime = std::max(summary_.latest_mtime.value_or(mtime), mtime);
    }

    void skip_other_type() { ++summary_.other_files; }

    void skip(const fs::path& name, const std::string& reason, std::size_t line = 0, std::size_t column = 0) {
        ++summary_.skipped;
        ingest_warning warning{name.string(), reason, std::nullopt, std::nullopt};
        if (line != 0) warning.line = line;
        if (column != 0) warning.column = column;
        summary_.warnings.push_back(std::move(warning));
    }

    data_summary take() { return std::move(summary_); }

  private:
    void add(file_facts& facts) {
        for (const auto& [name, range] : facts.metrics) summary_.metrics[name].add(range);
        std::move(facts.headings.begin(), facts.headings.end(), std::back_inserter(summary_.headings));
        summary_.rows += facts.rows;
        summary_.tables += facts.tables;
    }

    data_summary summary_;
};

class folder_scan {
  public:
    folder_scan(fs::path root, std::uint64_t max_file_bytes)
        : root_(std::move(root)), max_file_bytes_(max_file_bytes) {}

    data_summary run() {
        std::error_code error;
        const fs::directory_iterator readable(root_, error);
        if (error) throw std::runtime_error(fmt::format("{}: {}", root_.string(), error.message()));
        enter(root_);
        return found_.take();
    }

  private:
    void enter(const fs::path& folder) {
        struct stat status {};
        if (::stat(folder.c_str(), &status) != 0) return skip(folder, text_of_errno());
        if (!entered_.emplace(status.st_dev, status.st_ino).second) {
            return skip(folder, "a link to a folder that has been read already");
        }
        std::error_code error;
        std::vector<fs::path> entries;
        for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
            if (!it->path().filename().string().starts_with('.')) entries.push_back(it->path());
        }
        if (error) skip(folder, error.message());
        std::sort(entries.begin(), entries.end());
        for (const fs::path& entry : entries) visit(entry);
    }

    void visit(const fs::path& path) {
        std::error_code error;
        const fs::file_status status = fs::status(path, error);
        if (status.type() == fs::file_type::not_found) return skip(path, "a link that leads nowhere");
        if (error) return skip(path, error.message());
        if (fs::is_directory(status)) return enter(path);
        const file_type type = type_of(path);
        if (type == file_type::other) {
            found_.skip_other_type();
            return;
        }
        try {
            read(path, type);
        } catch (const bad_file& bad) {
            skip(path, bad.what(), bad.line, bad.column);
        }
    }

    void read(const fs::path& path, file_type type) {
        const open_file file(path);
        const struct stat status = file.status();
        if (!S_ISREG(status.st_mode)) throw bad_file("not a regular file", 0, 0);
        if (static_cast<std::uint64_t>(status.st_size) > max_file_bytes_) {
            throw bad_file(fmt::format("{} bytes, the limit is {}", status.st_size, max_file_bytes_), 0, 0);
        }
        const std::string bytes = file.read(max_file_bytes_);
        found_.read(name_of(path), type, bytes, status.st_mtime);
    }

    void skip(const fs::path& path, const std::string& reason, std::size_t line = 0, std::size_t column = 0) {
        found_.skip(name_of(path), reason, line, column);
    }

    fs::path name_of(const fs::path& path) const { return path.lexically_relative(root_); }

    fs::path root_;
    std::uint64_t max_file_bytes_;
    gathering found_;
    std::set<std::pair<dev_t, ino_t>> entered_;
};

} // namespace

void metric_range::add(double value) noexcept { add({1, value, value, value}); }

void metric_range::add(const metric_range& other) noexcept {
    if (other.n == 0) return;
    min = n == 0 ? other.min : std::min(min, other.min);
    max = n == 0 ? other.max : std::max(max, other.max);
    sum += other.sum;
    n += other.n;
}

std::string metric_name(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool upper = c >= 'A' && c <= 'Z';
        const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80;
        if (c == '%')
            name += name.empty() || name.back() == '_' ? "pct" : "_pct";
        else if (word)
            name += upper ? static_cast<char>(c - 'A' + 'a') : c;
        else if (!name.empty() && name.back() != '_')
            name += '_';
    }
    while (name.ends_with('_')) name.pop_back();
    return name;
}

std::string to_string(const ingest_warning& warning) {
    std::string place = warning.path;
    if (warning.line) place += fmt::format(":{}", *warning.line);
    if (warning.line && warning.column) place += fmt::format(":{}", *warning.column);
    return fmt::format("{}: {}", place, warning.reason);
}

std::string render(const data_summary& summary, std::size_t max_bytes) {
    bounded_text out(max_bytes);
    out.add(fmt::format("Files: {} ({} CSV, {} JSON, {} Markdown), {:.1f} KiB; {} skipped, {} of other types",
                        summary.files(), summary.csv.files, summary.json.files, summary.markdown.files,
                        static_cast<double>(summary.bytes()) / 1024, summary.skipped, summary.other_files));
    out.add(fmt::format("CSV rows: {}; Markdown tables: {}", summary.rows, summary.tables));
    if (summary.latest_mtime) {
        const auto time = fmt::gmtime(static_cast<std::time_t>(*summary.latest_mtime));
        out.add(fmt::format("Latest change: {:%Y-%m-%d %H:%M:%S} UTC", time));
    }
    out.add_list("Metrics (over all files):", metric_lines(summary.metrics), max_bytes / 5);

    std::vector<std::string> warnings;
    for (const auto& warning : summary.warnings) warnings.push_back("- " + to_string(warning));
    out.add_list("Warnings:", warnings, max_bytes / 10);

    std::vector<std::string> folders;
    for (const auto& [name, files] : summary.folders) folders.push_back(fmt::format("- {}: {}", name, files));
    out.add_list("Files by folder:", folders, max_bytes / 20);

    // Reports repeat their section names; each is named once.
    std::vector<std::string> headings;
    std::set<std::string_view> seen;
    for (const auto& heading : summary.headings) {
        if (seen.insert(heading).second) headings.push_back("- " + heading);
    }
    out.add_list("Headings:", headings, 0);
    return out.take();
}

data_summary ingest(std::span<const text_file> files) {
    gathering found;
    for (const text_file& file : files) {
        const fs::path name = file.path;
        if (const file_type type = type_of(name); type == file_type::other) {
            found.skip_other_type();
        } else {
            try {
                found.read(name, type, file.bytes, file.mtime);
            } catch (const bad_file& bad) {
                found.skip(name, bad.what(), bad.line, bad.column);
            }
        }
    }
    return found.take();
}

data_summary ingest(const fs::path& folder, std::uint64_t max_file_bytes) {
    return folder_scan(folder, max_file_bytes).run();
}

} // namespace chimera::host
