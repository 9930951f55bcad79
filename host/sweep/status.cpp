#include "sweep/status.hpp"

#include "protocol/excerpt.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"
#include "sweep/expected_time.hpp"
#include "sweep/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <utility>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

/// What a running sweep said last; nothing where it could not write it.
std::optional<sweep_now> read_now(const fs::path& folder) {
    try {
        return from_json<sweep_now>(json::parse(read_whole(file_of_now(folder))), file_of_now(folder).string());
    } catch (const std::exception&) { // it is being replaced, or the disk is full
        return std::nullopt;
    }
}

/// Seconds since a moment such as "2025-11-14T09:30:00Z"; nothing: it is not one.
std::optional<double> seconds_since(const std::string& utc) {
    std::tm parts{};
    const char* end = strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return std::max(0.0, std::difftime(std::time(nullptr), timegm(&parts)));
}

std::string of(std::uint64_t n, const char* what) { return fmt::format("{} {}", n, what); }

std::string first_words(const sweep_status& s) {
    if (!s.running) return "no sweep runs here";
    if (!s.now) return "a sweep runs here";
    return fmt::format("runs since {} (process {})", s.now->began, s.now->pid);
}

std::string cells_in_words(const sweep_status& s) {
    std::string text = fmt::format("{} of {} done", s.done, s.planned);
    for (const auto& [n, what] : {std::pair{s.failed, "failed"}, {s.not_needed, "not needed"}, {s.left, "left"}})
        if (n > 0) text += ", " + of(n, what);
    return text;
}

std::string time_in_words(const sweep_status& s) {
    std::string text = fmt::format("{} in cells", duration_in_words(s.measured_s));
    if (s.running_s) text += fmt::format(", {} since it began", duration_in_words(*s.running_s));
    if (s.left > 0)
        text += s.expected_s ? fmt::format(", about {} to go", duration_in_words(*s.expected_s))
                             : std::string(", time to go not known");
    return text;
}

std::string alerts_in_words(const noted_cell& c) {
    std::string text;
    for (const alert_result& a : c.alerts) text += (text.empty() ? "" : "; ") + in_words(a);
    return text;
}

} // namespace

fs::path file_of_now(const fs::path& folder) { return folder / "running.json"; }

sweep_status read_status(const fs::path& folder) {
    if (!fs::exists(folder / "sweep.json"))
        throw results_error(fmt::format("{}: holds no sweep: it has no sweep.json", folder.string()));
    const auto plan = read_results<sweep_result>(folder / "sweep.json");
    sweep_status out;
    out.name = plan.name;
    out.folder = folder.string();
    out.running = journal_is_held(folder);
    if (out.running) out.now = read_now(folder);
    if (out.now) out.running_s = seconds_since(out.now->began);

    std::map<std::pair<std::string, std::string>, group_progress> groups;
    const auto runs = static_cast<std::uint64_t>(std::max(0, plan.runs.value_or(0)));
    for (const planned_runtime& r : plan.runtimes)
        for (const planned_configuration& c : plan.configs)
            groups[{r.name, c.name}] = {.runtime = r.name, .config = c.name, .planned = runs, .cell_s = {}};
    cell_times times;
    for (const cell_result& e : read_journal(folder)) {
        times.add(e);
        out.measured_s += e.wall_s.value_or(0);
        group_progress& g = groups[{e.runtime, e.config}];
        if (g.runtime.empty()) g = {.runtime = e.runtime, .config = e.config, .cell_s = {}};
        if (e.status == cell_status::ok) ++g.ok;
        if (e.status == cell_status::not_needed) ++g.not_needed;
        if (has_failed(e.status)) ++g.failed;
        const noted_cell noted{e.runtime, e.config, e.run, e.status, e.message, e.alerts};
        if (has_failed(e.status)) out.failures.push_back(noted);
        if (!e.alerts.empty()) out.alerts.push_back(noted);
    }
    const double pause_s = plan.pause_s.value_or(0);
    double expected = 0;
    bool known = true;
    const auto add = [&](group_progress& g) {
        const std::uint64_t done = g.ok + g.failed + g.not_needed;
        g.planned = std::max(g.planned, done);
        g.left = g.planned - done;
        if (g.ok + g.failed > 0) g.cell_s = times.expected_s(g.runtime, g.config);
        const auto each = times.expected_s(g.runtime, g.config);
        known = known && (each || g.left == 0);
        expected += (each.value_or(0) + pause_s) * static_cast<double>(g.left);
        out.planned += g.planned;
        out.done += done;
        out.ok += g.ok;
        out.failed += g.failed;
        out.not_needed += g.not_needed;
        out.left += g.left;
        out.groups.push_back(g);
    };
    for (const planned_runtime& r : plan.runtimes)
        for (const planned_configuration& c : plan.configs) add(groups[{r.name, c.name}]);
    if (known) out.expected_s = expected / (out.now ? std::max(1, out.now->jobs) : 1);
    return out;
}

std::string to_text(const sweep_status& s) {
    std::string text = fmt::format("{}: {}\n  cells    {}\n  time     {}\n", s.name, first_words(s), cells_in_words(s),
                                   time_in_words(s));
    if (s.now) {
        for (const cell_at_work& c : s.now->cells)
            text += fmt::format("  now      {}/{} run {}, {} since {}\n", c.runtime, c.config, c.run, c.doing, c.since);
        if (s.now->awaited) text += fmt::format("  waiting  for {}, which cannot be reached\n", *s.now->awaited);
    }
    text += fmt::format("\n{:<24} {:<32} {:>5} {:>7} {:>11} {:>5} {:>9}\n", "runtime", "configuration", "ok", "failed",
                        "not needed", "left", "s a cell");
    for (const group_progress& g : s.groups)
        text += fmt::format("{:<24} {:<32} {:>5} {:>7} {:>11} {:>5} {:>9}\n", g.runtime, g.config, g.ok, g.failed,
                            g.not_needed, g.left, g.cell_s ? fmt::format("{:.1f}", *g.cell_s) : "-");
    if (!s.failures.empty()) text += "\nfailed (sweep --resume --retry-failed runs them again):\n";
    for (const noted_cell& c : s.failures)
        text += fmt::format("  {}/{} run {}: {}: {}\n", c.runtime, c.config, c.run, word_of(c.status),
                            on_one_line(c.message));
    if (!s.alerts.empty()) text += "\nalerts that tripped:\n";
    for (const noted_cell& c : s.alerts)
        text += fmt::format("  {}/{} run {}: {}\n", c.runtime, c.config, c.run, alerts_in_words(c));
    return text;
}

} // namespace chimera::host
