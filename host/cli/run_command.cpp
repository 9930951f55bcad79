#include "cli/run_command.hpp"

#include "agent/default_corpus.hpp"
#include "agent/prompt_check.hpp"
#include "backend/server_pool.hpp"
#include "report/progress.hpp"
#include "report/result_files.hpp"
#include "report/summary.hpp"
#include "run/campaign.hpp"
#include "run/interruption.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace chimera::host {
namespace {

schema_lookup lookup_in(registry& plugins) {
    return [&plugins](plugin_kind kind, const std::string& name, const std::filesystem::path& directory) {
        return schema_answer{plugins.load(kind, name, directory)->options(kind), {}};
    };
}

void print_plan(const profile& p) {
    fmt::print("{}\n# plan\n", to_toml(p));
    const std::vector<planned_execution> plan = plan_executions(p);
    for (std::size_t i = 0; i < plan.size(); ++i) {
        const planned_execution& x = plan[i];
        std::string agents;
        for (const std::size_t a : x.agents) agents += (agents.empty() ? "" : ", ") + p.workload.agents[a].id;
        fmt::print("# {:3}  {:8}  {:8}  {}\n", i + 1, x.run == 0 ? "warm-up" : fmt::format("run {}", x.run),
                   x.concurrent ? "together" : "alone", agents);
    }
}

progress_style style_of(const std::string& ui) {
    if (ui == "none") return progress_style::none;
    return ui == "plain" ? progress_style::lines : progress_style_for_terminal();
}

exit_status status_of(const campaign_summary& s, interruption_reason why) {
    if (why == interruption_reason::signal) return exit_status::interrupted;
    if (s.failed_requests == s.requests && !s.failures.empty()) return exit_status::all_failed;
    const bool incomplete = why == interruption_reason::time_limit || !s.failures.empty() || s.runs == 0;
    return incomplete ? exit_status::some_failed : exit_status::success;
}

} // namespace

exit_status run_command(const run_arguments& arguments) {
    take_over_signals();
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    registry plugins(settings);
    const profile p = load_profile(arguments.profile, lookup_in(plugins), arguments.overrides);
    check_prompts(p);
    if (arguments.dry_run) {
        print_plan(p);
        return exit_status::success;
    }
    const loaded_plugins loaded = load_plugins(plugins, p);
    execution_control control;
    const interruption interrupted(control, p.measure.time_limit_s);

    result_files files(p, arguments.output_dir);
    const server_pool servers(p, simulator_program());
    const default_corpus corpus(p);

    const execution_setup setup{p, plugins, loaded, servers, arguments.api_key, corpus.folder()};
    std::vector<run_record> runs;
    {
        progress shown(style_of(arguments.ui), p, control);
        const campaign_events events{
            [&](const planned_execution& x, std::size_t index, std::size_t of) { shown.begins(x, index, of); },
            [&](const run_record& run) {
                files.add(run);
                shown.run_done(run);
            }};
        runs = run_campaign(setup, control, events);
    }
    campaign_summary summary = summarize(p, runs);
    summary.interrupted = interrupted.reason() != interruption_reason::none;
    summary.files = files.folder();
    files.finish(summary);
    if (arguments.json)
        fmt::print("{}\n", to_json(summary).dump(2));
    else
        fmt::print("{}", to_text(summary));
    std::fflush(stdout);
    return status_of(summary, interrupted.reason());
}

} // namespace chimera::host
