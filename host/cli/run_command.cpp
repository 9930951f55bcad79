#include "cli/run_command.hpp"

#include "agent/report_agent.hpp"
#include "backend/server_pool.hpp"
#include "cli/plugin_schemas.hpp"
#include "cli/standard_output.hpp"
#include "live/alert_watch.hpp"
#include "live/live_metrics.hpp"
#include "process/messages.hpp"
#include "publish/json_text.hpp"
#include "report/progress.hpp"
#include "report/result_files.hpp"
#include "report/summary.hpp"
#include "report/trace_file.hpp"
#include "run/campaign.hpp"
#include "run/capacity.hpp"
#include "run/interruption.hpp"
#include "sweep/cell_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <vector>

namespace chimera::host {
namespace {

std::string plan_of(const profile& p) {
    std::string text = to_toml(p) + "\n# plan\n";
    const std::vector<planned_execution> plan = plan_executions(p);
    for (std::size_t i = 0; i < plan.size(); ++i) {
        const planned_execution& x = plan[i];
        constexpr std::size_t most = 8; // more names than that, nobody reads
        std::string agents;
        for (const std::size_t a : x.agents) agents += (agents.empty() ? "" : ", ") + p.workload.agents[a].id;
        if (x.agents.size() > most) agents = fmt::format("all {} agents", x.agents.size());
        text += fmt::format("# {:3}  {:8}  {:8}  {}\n", i + 1, x.run == 0 ? "warm-up" : fmt::format("run {}", x.run),
                            x.concurrent ? "together" : "alone", agents);
    }
    return text;
}

progress_style style_of(const std::string& ui) {
    if (ui == "none") return progress_style::none;
    return ui == "plain" ? progress_style::lines : progress_style_for_terminal();
}

exit_status status_of(const campaign_summary& s, interruption_reason why, bool cell) {
    if (cell && why == interruption_reason::time_limit) return exit_status{timed_out_status};
    if (why == interruption_reason::signal) return exit_status::interrupted;
    if (s.failed_requests == s.requests && !s.failures.empty()) return exit_status::all_failed;
    const bool incomplete = why == interruption_reason::time_limit || !s.failures.empty() || s.runs.empty();
    const bool alarmed = s.what.alerts.fail && std::ranges::any_of(s.alerts, &alert_outcome::tripped);
    return incomplete || alarmed ? exit_status::some_failed : exit_status::success;
}

} // namespace

exit_status run_command(const run_arguments& arguments) {
    take_over_signals();
    if (arguments.cell != 0) die_with_parent();
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    registry plugins(settings);
    const profile p = load_profile(arguments.profile, lookup_in(plugins), arguments.overrides);
    check_prompts(p);
    if (arguments.dry_run) {
        print_result(plan_of(p));
        return exit_status::success;
    }
    if (!arguments.trace.empty() && !p.measure.pieces)
        throw profile_error({"--trace shows every poll: it needs measure.pieces = true"});
    make_room_for(p);
    const loaded_plugins loaded = load_plugins(plugins, p);
    execution_control control;
    const interruption interrupted(control, p.measure.time_limit_s);

    std::optional<trace_file> trace;
    if (!arguments.trace.empty()) trace.emplace(arguments.trace, p);
    std::vector<agent_observer*> observers;
    std::optional<live_metrics> live;
    if (arguments.metrics_port) {
        live.emplace(p, control, arguments.metrics_address, *arguments.metrics_port);
        say(fmt::format("metrics: {}", live->url()));
        observers.push_back(&*live);
    }
    alert_watch alerts(p.alerts);
    if (p.alerts.any()) observers.push_back(&alerts);

    const std::optional<int> only = arguments.cell != 0 ? std::optional(arguments.cell) : std::nullopt;
    result_files files =
        only ? result_files::of_cell(p, p.source.parent_path(), *only) : result_files(p, arguments.output_dir);
    const server_pool servers(p, simulator_program());
    const report_corpus corpus(p);

    const execution_setup setup{p, plugins, loaded, servers, arguments.api_key, &corpus, trace.has_value(), observers};
    std::vector<run_record> runs;
    std::exception_ptr failure; // what is finished is summarized all the same
    try {
        progress shown(style_of(arguments.ui), p, control);
        campaign_events events;
        events.begins = [&](const planned_execution& x, std::size_t index, std::size_t of) {
            shown.begins(x, index, of);
            if (live) live->begins(x);
            alerts.begins(x);
        };
        events.execution_done = [&](const planned_execution& x, execution_record& record) {
            if (!trace) return;
            trace->add(x, record);
            for (agent_record& a : record.agents) a.log.reset(); // on disk now
        };
        events.run_done = [&](std::vector<run_record>& done) {
            files.add(done.back());
            const campaign_summary so_far = summarize(p, done);
            files.summarize(so_far);
            alerts.run_done(so_far.alerts);
            if (live) live->run_done(done.back());
            shown.run_done(done.back());
        };
        run_campaign(setup, control, events, runs, only);
    } catch (...) {
        failure = std::current_exception();
    }
    campaign_summary summary = summarize(p, runs);
    summary.interrupted = interrupted.reason() != interruption_reason::none;
    summary.files = files.folder();
    if (!runs.empty() && !failure) files.summarize(summary);
    if (!failure || !runs.empty()) try {
            print_result(arguments.json ? json_text(to_json(summary)) : to_text(summary));
        } catch (...) {
            if (!failure) throw; // otherwise what failed first is the news
        }
    if (failure) std::rethrow_exception(failure);
    return status_of(summary, interrupted.reason(), only.has_value());
}

} // namespace chimera::host
