#include "cli/commands.hpp"

#include "agent/report_agent.hpp"
#include "cli/output.hpp"
#include "cli/plugin_lookup.hpp"
#include "live_sweep/live_page.hpp"
#include "live_sweep/sweep_metrics.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "publish/publish.hpp"
#include "result/sealed_file.hpp"
#include "run/interruption.hpp"
#include "statistics/description.hpp"
#include "sweep/preflight.hpp"
#include "sweep/resume.hpp"
#include "sweep/run_sweep.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <vector>

namespace chimera::host {
namespace {

/// The line of a cell that has ended.
void tell(const cell_result& e, const sweep_progress& p) {
    std::string line =
        fmt::format("[{}/{}] {}/{} run {}: {}", p.done, p.of, e.runtime, e.config, e.run, word_of(e.status));
    if (e.efficiency_pct) line += fmt::format(", {:.2f} %", *e.efficiency_pct);
    if (e.wall_s) line += fmt::format(", {:.1f} s", *e.wall_s);
    if (!e.message.empty()) line += ": " + on_one_line(e.message);
    for (const alert_result& a : e.alerts) line += ", ALERT " + in_words(a);
    if (p.done < p.of && p.expected_s) line += fmt::format("   (about {} to go)", duration_in_words(*p.expected_s));
    say(line);
}

std::string cells_in_words(const sweep_definition& sweep, const std::vector<sweep_cell>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) text += fmt::format("{:4}  {}\n", i + 1, cell_name(sweep, cells[i]));
    return text;
}

std::string conduct_in_words(const sweep_conduct& c) {
    std::string text;
    if (!c.before_cell.empty()) text += fmt::format("before each cell: {}\n", on_one_line(c.before_cell));
    if (!c.after_cell.empty()) text += fmt::format("after each cell: {}\n", on_one_line(c.after_cell));
    if (c.pause_s > 0) text += fmt::format("pause between cells: {} s\n", c.pause_s);
    return text;
}

std::string plan_of(const sweep_definition& sweep, const std::vector<sweep_cell>& cells) {
    return fmt::format("{}: {} runtimes x {} configurations x {} runs, seed {}\n{}\n{}", sweep.name,
                       sweep.runtimes.size(), sweep.configs.size(), sweep.runs, sweep.seed,
                       conduct_in_words(sweep.conduct), cells_in_words(sweep, cells));
}

/// `--resume --dry-run`: the cells that --resume would run. Returns bad_input if the files of some cells are lost or
/// damaged.
exit_status tell_remaining(const sweep_definition& sweep, const sweep_settings& what) {
    const std::vector<cell_result> entries = read_journal(what.folder);
    const folder_state state = look_at_folder(sweep, what.folder, what.cells, entries, what.retry_failed);
    const auto expected = state.expected_s(sweep, what.jobs);
    const auto failed = std::ranges::count_if(state.done, [](const auto& d) { return has_failed(d.second.status); });
    std::string text = fmt::format("{}: {} of {} cells are done", sweep.name, what.cells.size() - state.todo.size(),
                                   what.cells.size());
    if (failed > 0) text += fmt::format(" ({} failed; --retry-failed runs them again)", failed);
    if (state.todo.empty())
        text += "; nothing is left to run\n";
    else
        text += fmt::format("; {} are left, {}\n{}\n{}", state.todo.size(),
                            expected ? "which takes about " + duration_in_words(*expected)
                                     : std::string("for how long is not known: no cell has been timed yet"),
                            conduct_in_words(sweep.conduct), cells_in_words(sweep, state.todo));
    print_result(printable(text));

    bool damaged = false;
    std::set<std::string> told;
    for (const repeated_cell& r : state.repeated) {
        const std::string name = cell_name(sweep, r.cell);
        if (r.ending != "damaged") continue;
        damaged = true;
        told.insert(name);
        spdlog::error("{}; --resume runs {} again", r.why, name);
    }
    for (const sweep_cell& c : state.todo)
        for (const cell_result& e : entries)
            if (const std::string name = cell_name(sweep, c);
                e.status == cell_status::lost && folder_of(e) == name && !told.contains(name)) {
                damaged = true;
                spdlog::error("{}; --resume runs {} again", e.message, name);
            }
    return damaged ? exit_status::bad_input : exit_status::success;
}

/// Says what the preflight found. False: a signal ended it. Throws std::runtime_error with its errors.
bool look_first(const sweep_definition& sweep, const sweep_settings& what) {
    const folder_state state =
        look_at_folder(sweep, what.folder, what.cells,
                       what.resume ? read_journal(what.folder) : std::vector<cell_result>(), what.retry_failed);
    const preflight found =
        look_before_sweep(sweep, {what.folder, what.program, what.arguments, what.api_key, state.todo});
    if (found.interrupted) return false;
    for (const std::string& f : found.found) say("preflight: " + f);
    for (const std::string& w : found.warnings) spdlog::warn("preflight: {}", w);
    if (found.errors.empty()) return true;
    std::string text = "the preflight found what would make cells fail, and nothing was run (--no-preflight skips it):";
    for (const std::string& e : found.errors) text += "\n  " + e;
    throw std::runtime_error(text);
}

/// One line for each runtime; the report says the rest.
std::string runtimes_of(const sweep_definition& sweep, const std::vector<cell_result>& entries) {
    const profile& first = sweep.profiles.front().front();
    const bool baseline = first.measure.baseline;
    const bool cycles = first.workload.kind == workload_kind::coordination; // without an efficiency
    std::string text = cycles ? fmt::format("{:<24} {:>5} {:>7}\n", "runtime", "ok", "failed")
                              : fmt::format("{:<24} {:>5} {:>7} {:>12} {:>7} {:>7} {:>7}\n", "runtime", "ok", "failed",
                                            baseline ? "efficiency %" : "estimate %", "sd", "min", "max");
    for (const sweep_runtime& r : sweep.runtimes) {
        std::vector<double> efficiencies;
        std::size_t ok = 0, failed = 0;
        for (const cell_result& e : entries) {
            if (e.runtime != r.name || e.status == cell_status::not_needed || !is_over(e.status)) continue;
            ++(e.status == cell_status::ok ? ok : failed);
            if (e.status == cell_status::ok && e.efficiency_pct) efficiencies.push_back(*e.efficiency_pct);
        }
        if (cycles) {
            text += fmt::format("{:<24} {:>5} {:>7}\n", r.name, ok, failed);
            continue;
        }
        const statistics::description d = statistics::describe(efficiencies);
        const auto figure = [](double value, bool known) { return known ? fmt::format("{:.2f}", value) : "-"; };
        text +=
            fmt::format("{:<24} {:>5} {:>7} {:>12} {:>7} {:>7} {:>7}\n", r.name, ok, failed, figure(d.mean, d.n > 0),
                        figure(d.sd, d.n > 1), figure(d.min, d.n > 0), figure(d.max, d.n > 0));
    }
    return text;
}

/// The alerts that tripped, each with the number of its cells. fails: cells whose profile says alerts.fail.
std::string alerts_of(const sweep_definition& sweep, const std::vector<cell_result>& entries, std::size_t& fails) {
    std::vector<std::pair<std::string, std::size_t>> cells;
    fails = 0;
    for (const cell_result& e : entries) {
        for (const alert_result& a : e.alerts) {
            auto known = std::ranges::find(cells, a.alert, &std::pair<std::string, std::size_t>::first);
            if (known == cells.end()) known = cells.insert(cells.end(), {a.alert, 0});
            ++known->second;
        }
        const auto r = std::ranges::find(sweep.runtimes, e.runtime, &sweep_runtime::name) - sweep.runtimes.begin();
        const auto c = std::ranges::find(sweep.configs, e.config, &sweep_config::name) - sweep.configs.begin();
        const profile& p = sweep.profiles.at(static_cast<std::size_t>(r)).at(static_cast<std::size_t>(c));
        if (!e.alerts.empty() && p.alerts.fail) ++fails;
    }
    std::string text;
    for (const auto& [alert, n] : cells)
        text += fmt::format("{}{} in {} cell{}", text.empty() ? "" : ", ", alert, n, n == 1 ? "" : "s");
    return text;
}

exit_status status_of(sweep_end end, const std::vector<cell_result>& entries, bool alarmed) {
    if (end != sweep_end::complete) return exit_status::interrupted;
    const auto bad = std::ranges::count_if(entries, [](const cell_result& e) {
        return e.status != cell_status::ok && e.status != cell_status::not_needed;
    });
    if (bad == 0) return alarmed ? exit_status::some_failed : exit_status::success;
    return static_cast<std::size_t>(bad) == entries.size() ? exit_status::all_failed : exit_status::some_failed;
}

std::vector<sweep_cell> cells_of(const sweep_definition& sweep, const std::string& only) {
    std::vector<sweep_cell> cells = plan_cells(sweep);
    if (only.empty()) return cells;
    cells = matching(sweep, cells, only);
    if (cells.empty())
        throw profile_error({fmt::format("--only '{}': matches no cell of the sweep (example: '{}'); see --dry-run",
                                         only, cell_name(sweep, {0, 0, 1}))});
    return cells;
}

/// Whether --only has chosen every cell of the folder, so that the report's command needs it. False where an earlier
/// process of this sweep was told to run others.
bool chooses_all(const sweep_arguments& arguments, const std::filesystem::path& folder) {
    if (arguments.only.empty()) return false;
    if (!arguments.resume || !std::filesystem::exists(folder / "sweep.json")) return true;
    try {
        const std::vector<std::string> options = read_results<sweep_result>(folder / "sweep.json").options;
        const auto begun_with = std::ranges::find(options, "--only");
        return begun_with != options.end() && std::next(begun_with) != options.end() &&
               *std::next(begun_with) == arguments.only;
    } catch (const results_error&) { // it is written anew
        return false;
    }
}

/// The pages of a sweep that runs, as far as the command line asks for them.
struct sweep_pages {
    std::optional<sweep_metrics> metrics;
    std::optional<live_page> page;

    sweep_pages(const sweep_arguments& arguments, const sweep_definition& sweep, const sweep_settings& what) {
        if (arguments.metrics_port) {
            metrics.emplace(sweep, what, arguments.metrics_address, *arguments.metrics_port);
            say(fmt::format("metrics: {}", metrics->url()));
        }
        if (arguments.live_page) {
            page.emplace(what.folder, *arguments.live_page, "chimera-host " CHIMERA_VERSION);
            say(fmt::format("live page: {}", page->url()));
        }
    }
};

} // namespace

exit_status sweep_command(const sweep_arguments& arguments) {
    if (arguments.retry_failed && !arguments.resume)
        throw profile_error({"--retry-failed runs the failed cells of a sweep again that was begun before, so it needs "
                             "--resume"});
    take_over_signals();
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    registry plugins(settings);
    sweep_definition sweep = load_sweep(arguments.profile, lookup_in(plugins), arguments.overrides);
    if (chooses_all(arguments, arguments.output_dir / sweep.name))
        sweep.options.insert(sweep.options.end(), {"--only", arguments.only});
    for (const auto& row : sweep.profiles)
        for (const profile& p : row) check_prompts(p);

    sweep_settings what{.folder = arguments.output_dir / sweep.name,
                        .program = std::filesystem::read_symlink("/proc/self/exe"),
                        .arguments = {},
                        .cells = cells_of(sweep, arguments.only),
                        .resume = arguments.resume,
                        .retry_failed = arguments.retry_failed,
                        .jobs = arguments.jobs,
                        .api_key = arguments.api_key};
    if (arguments.dry_run && arguments.resume) return tell_remaining(sweep, what);
    if (arguments.dry_run) {
        print_result(printable(plan_of(sweep, what.cells)));
        return exit_status::success;
    }
    if (arguments.allow_untrusted) what.arguments.emplace_back("--allow-untrusted-plugins");
    check_folder(what);
    if (!arguments.no_preflight && !look_first(sweep, what)) {
        say("interrupted before the first cell");
        return exit_status::interrupted;
    }
    sweep_pages pages(arguments, sweep, what);
    sweep_events events;
    events.told = [&pages](const cell_result& e, const sweep_progress& p) {
        if (pages.metrics) pages.metrics->told(e, p); // first: who has read the line finds the cell on the page
        tell(e, p);
    };
    events.warned = [](const std::string& text) { spdlog::warn("{}", text); };
    if (pages.metrics) {
        events.begun = [&pages](const sweep_progress& p) { pages.metrics->begun(p); };
        events.changed = [&pages](const sweep_now& now) { pages.metrics->changed(now); };
    }
    std::vector<cell_result> entries;
    const sweep_end end = run_sweep(sweep, what, events, entries);

    print_result(printable(fmt::format("{}\n{}\n", runtimes_of(sweep, entries), what.folder.string())));
    std::size_t alarmed = 0;
    if (const std::string tripped = alerts_of(sweep, entries, alarmed); !tripped.empty())
        spdlog::warn("alerts tripped: {}{}", tripped,
                     alarmed > 0 ? "; alerts.fail is set, so the exit status is 1" : "");
    if (end != sweep_end::complete)
        say("interrupted; --resume continues after the finished runs");
    else
        say(fmt::format("to see the results: chimera-host report {}", what.folder.string()));
    return status_of(end, entries, alarmed > 0);
}

exit_status sweep_status_command(const std::filesystem::path& folder, bool as_json) {
    const sweep_status status = read_status(folder);
    print_result(as_json ? json_text(to_json(status)) : printable(to_text(status)));
    return exit_status::success;
}

} // namespace chimera::host
