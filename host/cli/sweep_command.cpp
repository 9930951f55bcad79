#include "cli/sweep_command.hpp"

#include "agent/report_agent.hpp"
#include "cli/plugin_schemas.hpp"
#include "cli/standard_output.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "run/interruption.hpp"
#include "statistics/description.hpp"
#include "sweep/run_sweep.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace chimera::host {
namespace {

std::string duration(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", seconds);
    return fmt::format("{:.0f} min", seconds / 60);
}

void tell(const journal_entry& e, const sweep_progress& p) {
    std::string line =
        fmt::format("[{}/{}] {}/{} run {}: {}", p.done, p.of, e.runtime, e.config, e.run, name_of(e.status));
    if (e.efficiency_pct) line += fmt::format(", {:.2f} %", *e.efficiency_pct);
    if (e.wall_s) line += fmt::format(", {:.1f} s", *e.wall_s);
    if (!e.message.empty()) line += ": " + on_one_line(e.message);
    if (p.done < p.of && p.eta_s > 0) line += fmt::format("   (about {} to go)", duration(p.eta_s));
    say(line);
}

std::string plan_of(const sweep_definition& sweep, const std::vector<sweep_cell>& cells) {
    std::string text = fmt::format("{}: {} runtimes x {} configurations x {} runs, seed {}\n\n", sweep.name,
                                   sweep.runtimes.size(), sweep.configs.size(), sweep.runs, sweep.seed);
    for (std::size_t i = 0; i < cells.size(); ++i) text += fmt::format("{:4}  {}\n", i + 1, cell_name(sweep, cells[i]));
    return text;
}

exit_status tell_lost_cells(const sweep_definition& sweep, const sweep_settings& what) {
    const auto lost = lost_cells(sweep, what);
    for (const auto& [cell, fault] : lost) spdlog::error("{}; --resume runs {} again", fault, cell);
    return lost.empty() ? exit_status::success : exit_status::bad_input;
}

/// Each runtime in one line; the report says the rest.
std::string runtimes_of(const sweep_definition& sweep, const std::vector<journal_entry>& entries) {
    const bool baseline = sweep.profiles.front().front().measure.baseline;
    std::string text = fmt::format("{:<24} {:>5} {:>7} {:>12} {:>7} {:>7} {:>7}\n", "runtime", "ok", "failed",
                                   baseline ? "efficiency %" : "estimate %", "sd", "min", "max");
    for (const sweep_runtime& r : sweep.runtimes) {
        std::vector<double> efficiencies;
        std::size_t ok = 0, failed = 0;
        for (const journal_entry& e : entries) {
            if (e.runtime != r.name || e.status == cell_status::not_needed || e.status == cell_status::lost) continue;
            ++(e.status == cell_status::ok ? ok : failed);
            if (e.status == cell_status::ok && e.efficiency_pct) efficiencies.push_back(*e.efficiency_pct);
        }
        const statistics::description d = statistics::describe(efficiencies);
        const auto figure = [](double value, bool known) { return known ? fmt::format("{:.2f}", value) : "-"; };
        text +=
            fmt::format("{:<24} {:>5} {:>7} {:>12} {:>7} {:>7} {:>7}\n", r.name, ok, failed, figure(d.mean, d.n > 0),
                        figure(d.sd, d.n > 1), figure(d.min, d.n > 0), figure(d.max, d.n > 0));
    }
    return text;
}

exit_status status_of(sweep_end end, const std::vector<journal_entry>& entries) {
    if (end == sweep_end::interrupted) return exit_status::interrupted;
    const auto bad = std::ranges::count_if(entries, [](const journal_entry& e) {
        return e.status != cell_status::ok && e.status != cell_status::not_needed;
    });
    if (bad == 0) return exit_status::success;
    return static_cast<std::size_t>(bad) == entries.size() ? exit_status::all_failed : exit_status::some_failed;
}

} // namespace

exit_status sweep_command(const sweep_arguments& arguments) {
    take_over_signals();
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    registry plugins(settings);
    const sweep_definition sweep = load_sweep(arguments.profile, lookup_in(plugins), arguments.overrides);
    for (const auto& row : sweep.profiles)
        for (const profile& p : row) check_prompts(p);

    std::vector<sweep_cell> cells = plan_cells(sweep);
    if (!arguments.only.empty()) {
        cells = matching(sweep, cells, arguments.only);
        if (cells.empty())
            throw profile_error(
                {fmt::format("--only '{}': matches none of the sweep's cells, such as '{}'; see --dry-run",
                             arguments.only, cell_name(sweep, {0, 0, 1}))});
    }
    sweep_settings what{arguments.output_dir / sweep.name,
                        std::filesystem::read_symlink("/proc/self/exe"),
                        {},
                        std::move(cells),
                        arguments.resume,
                        arguments.jobs,
                        arguments.api_key,
                        [](const std::string& text) { spdlog::warn("{}", text); }};
    if (arguments.dry_run) {
        print_result(printable(plan_of(sweep, what.cells)));
        return arguments.resume ? tell_lost_cells(sweep, what) : exit_status::success;
    }
    if (arguments.allow_untrusted) what.arguments.emplace_back("--allow-untrusted-plugins");
    std::vector<journal_entry> entries;
    const sweep_end end = run_sweep(sweep, what, tell, entries);
    print_result(printable(fmt::format("{}\n{}\n", runtimes_of(sweep, entries), what.folder.string())));
    if (end == sweep_end::interrupted)
        say("interrupted; --resume goes on after what is done");
    else
        say(fmt::format("chimera-host report {} shows what came out", what.folder.string()));
    return status_of(end, entries);
}

} // namespace chimera::host
