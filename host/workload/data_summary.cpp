#include "workload/data_summary.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace chimera::host {

namespace {

/// Lines up to a limit.
class bounded_text {
  public:
    explicit bounded_text(std::size_t limit) : limit_(limit) {}

    bool fits(std::size_t bytes) const { return out_.size() + bytes <= limit_; }
    void add(const std::string& line) {
        if (fits(line.size() + 1)) out_ += line + '\n';
    }

    /// A titled list; keeps `spare` bytes free for what comes later, and states how many lines it left out.
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

    // Reports repeat their section names; each is told once.
    std::vector<std::string> headings;
    std::set<std::string_view> seen;
    for (const auto& heading : summary.headings) {
        if (seen.insert(heading).second) headings.push_back("- " + heading);
    }
    out.add_list("Headings:", headings, 0);
    return out.take();
}

} // namespace chimera::host
