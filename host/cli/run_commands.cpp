#include "cli/commands.hpp"

#include "agent/report_agent.hpp"
#include "backend/server_pool.hpp"
#include "cli/output.hpp"
#include "cli/plugin_lookup.hpp"
#include "live/alert_watch.hpp"
#include "live/live_metrics.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "provenance/collect.hpp"
#include "publish/publish.hpp"
#include "questions/read.hpp"
#include "registry/registry.hpp"
#include "report/progress.hpp"
#include "report/result_files.hpp"
#include "report/summary.hpp"
#include "report/trace_file.hpp"
#include "run/ask_servers.hpp"
#include "run/campaign.hpp"
#include "run/capacity.hpp"
#include "run/client_limits.hpp"
#include "run/interruption.hpp"
#include "sweep/cell_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include <sys/resource.h>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;

std::string plan_of(const profile& p) {
    std::string text = to_toml(p) + "\n# plan\n";
    const std::vector<planned_execution> plan = plan_executions(p);
    for (std::size_t i = 0; i < plan.size(); ++i) {
        const planned_execution& x = plan[i];
        constexpr std::size_t most = 8; // nobody reads more names
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

campaign_provenance origin_of(const execution_setup& setup, execution_control& control) {
    campaign_provenance out{utc_now(), this_machine(), this_build(), {}, {}};
    if (setup.loaded.transport) out.servers = ask_servers(setup, control);
    for (const auto& loaded :
         {setup.loaded.executor, setup.loaded.foreign, setup.loaded.transport, setup.loaded.coordinator})
        if (loaded && std::ranges::find(out.plugins, loaded->path(), &plugin_identity::file) == out.plugins.end())
            out.plugins.push_back(identity_of(*loaded));
    return out;
}

exit_status status_of(const campaign_summary& s, interruption_reason why, bool cell) {
    if (cell && why == interruption_reason::time_limit) return exit_status{timed_out_status};
    if (why == interruption_reason::signal) return exit_status::interrupted;
    const campaign_result& r = s.result;
    if (r.failed_requests == r.requests && !r.errors.empty()) return exit_status::all_failed;
    const bool incomplete = why == interruption_reason::time_limit || !r.errors.empty() || r.runs == 0;
    const bool alarmed = !cell && s.what.alerts.fail && std::ranges::any_of(s.alerts, &alert_outcome::tripped);
    return incomplete || alarmed ? exit_status::some_failed : exit_status::success;
}

/// For a sweep, before its first cell: what the profile's servers say of themselves, as JSON.
exit_status ask_servers_of(const profile& p, registry& plugins, const std::string& api_key) {
    constexpr std::chrono::seconds limit{10};
    const loaded_plugins loaded = load_plugins(plugins, p);
    execution_control control;
    const interruption interrupted(control, p.measure.time_limit_s);
    const server_pool servers(p, simulator_program());
    const execution_setup setup{p, plugins, loaded, servers, api_key};
    print_result(json_text(to_json(question_servers(setup, control, limit))));
    return exit_status::success;
}

} // namespace

exit_status run_command(const run_arguments& arguments) {
    take_over_signals();
    if (arguments.cell != 0) die_with_parent();
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    registry plugins(settings);
    const profile p = load_profile(arguments.profile, lookup_in(plugins), arguments.overrides);
    // What a sweep's profile asks is the sweep's: its cells' profiles have no questions.
    const question_set questions =
        arguments.cell == 0 ? questions_of_profile(arguments.profile, arguments.overrides) : question_set();
    check_prompts(p);
    if (arguments.dry_run) {
        print_result(plan_of(p));
        return exit_status::success;
    }
    if (arguments.ask_servers) return ask_servers_of(p, plugins, arguments.api_key);
    if (!arguments.trace.empty() && !p.measure.pieces)
        throw profile_error({"--trace records every poll, so it needs measure.pieces = true"});
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

    execution_setup setup{p, plugins, loaded, servers, arguments.api_key, &corpus, trace.has_value(), observers};
    setup.origin = std::make_shared<const campaign_provenance>(origin_of(setup, control));
    std::vector<run_record> runs;
    std::optional<campaign_summary> last; // of all of them; nothing: they are not summarized yet
    std::exception_ptr failure;           // finished runs are summarized even then
    const auto complete = [&](campaign_summary& s) {
        s.result.files = files.folder().string();
        if (!questions.empty()) s.result.questions = to_json(questions);
    };
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
            for (agent_record& a : record.agents) a.log.reset(); // it is on disk now
        };
        events.run_done = [&](std::vector<run_record>& done) {
            last.reset();
            const campaign_metrics metrics = files.add(done.back());
            last.emplace(done.size() == 1 ? summarize(p, done, metrics) : summarize(p, done));
            complete(*last);
            files.summarize(*last);
            alerts.run_done(last->alerts);
            if (live) live->run_done(done.back());
            shown.run_done(done.back());
        };
        run_campaign(setup, control, events, runs, only);
    } catch (...) {
        failure = std::current_exception();
    }
    const bool is_interrupted = interrupted.reason() != interruption_reason::none;
    const bool is_written = last.has_value() && !is_interrupted;
    if (!last) last.emplace(summarize(p, runs));
    campaign_summary& summary = *last;
    summary.result.interrupted = is_interrupted;
    complete(summary);
    if (!runs.empty() && !failure && !is_written) files.summarize(summary);
    if (!failure || !runs.empty()) try {
            print_result(arguments.json ? json_text(to_json(summary.result)) : to_text(summary));
        } catch (...) {
            if (!failure) throw; // otherwise the first failure is reported
        }
    if (failure) std::rethrow_exception(failure);
    return status_of(summary, interrupted.reason(), only.has_value());
}

// ---- selfcheck

namespace {

/// Each agent needs a socket here and one in the simulator, which inherits this limit.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// The figure, or null if a request of this load failed.
json if_good(const load_point& p, double value) { return p.failure.empty() ? json(value) : json(nullptr); }

json document(const load_point& p) {
    return {{"agents", p.agents},
            {"tokens_per_s_each", p.tokens_per_s},
            {"wall_ratio", if_good(p, p.wall_ratio)},
            {"delay_p50_us", if_good(p, p.delay_p50_us)},
            {"delay_p99_us", if_good(p, p.delay_p99_us)},
            {"busiest_worker_pct", p.busiest_pct},
            {"queued_worker_pct", p.queued_pct},
            {"held", p.held()},
            {"failure", p.failure.empty() ? json(nullptr) : json(p.failure)}};
}

/// What reached its limit at this load.
std::string culprit(const load_point& p) {
    if (!p.failure.empty()) return p.failure;
    if (p.client_busy()) return "the client: its busiest thread had no time left";
    if (p.queued_pct > 10)
        return "the machine: the client was ready and had no CPU, because the simulator runs here too";
    return "the simulator or the machine: the client's busiest thread had time left";
}

std::string verdict(const client_limits& l) {
    if (!l.own.held()) return fmt::format("not even the profile's own load is held: {}", culprit(l.own));
    const double needed = static_cast<double>(l.own.agents) * l.own.tokens_per_s;
    const load_point* most = l.held();
    const double can = most ? static_cast<double>(most->agents) * most->tokens_per_s : needed;
    return fmt::format("the profile needs {:.0f} tok/s; {:.0f} tok/s were held, {:.0f} times as much", needed, can,
                       can / needed);
}

std::string text_of(const profile& p, const client_limits& l) {
    std::string text;
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "{}: {} + {} on this machine, the simulator beside it\n\n", p.name, p.executor.plugin,
                   p.transport.plugin);
    fmt::format_to(out, "  unpaced           {:.0f} tok/s over 8 agents, busiest thread {:.0f} %\n",
                   l.unpaced_tokens_per_s, l.unpaced_busiest_pct);
    if (!l.own.failure.empty())
        fmt::format_to(out, "  own load          failed: {}\n\n", l.own.failure);
    else
        fmt::format_to(out,
                       "  own load          {} agents x {:g} tok/s: delivery delay p50 {:.0f} us, p99 {:.0f} us\n\n",
                       l.own.agents, l.own.tokens_per_s, l.own.delay_p50_us, l.own.delay_p99_us);
    fmt::format_to(out, "  {:>7}  {:>9}  {:>11}  {:>11}  {:>8}  {:>7}\n", "agents", "tok/s", "p50 us", "p99 us", "wall",
                   "busiest");
    for (const load_point& point : l.ramp)
        fmt::format_to(out, "  {:>7}  {:>9.0f}  {:>11.0f}  {:>11.0f}  {:>7.2f}x  {:>5.0f} %  {}\n", point.agents,
                       static_cast<double>(point.agents) * point.tokens_per_s, point.delay_p50_us, point.delay_p99_us,
                       point.wall_ratio, point.busiest_pct, point.held() ? "" : "broken: " + culprit(point));
    fmt::format_to(out, "\n  {}\n", verdict(l));
    return text;
}

} // namespace

exit_status selfcheck_command(const selfcheck_arguments& arguments) {
    take_over_signals();
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    registry plugins(settings);
    const profile p = load_profile(arguments.profile, lookup_in(plugins), arguments.overrides);
    if (arguments.dry_run) {
        print_result(to_toml(p));
        return exit_status::success;
    }
    raise_file_limit();
    const loaded_plugins loaded = load_plugins(plugins, p);
    execution_control control;
    const interruption interrupted(control, p.measure.time_limit_s);
    const client_limits limits = measure_client_limits(p, plugins, loaded, arguments.most_agents, control,
                                                       [](const std::string& what) { say(what); });
    if (interrupted.reason() != interruption_reason::none)
        return interrupted.reason() == interruption_reason::signal ? exit_status::interrupted
                                                                   : exit_status::some_failed;
    if (arguments.json) {
        json j{{"schema_version", 1},
               {"profile", p.name},
               {"executor", p.executor.plugin},
               {"transport", p.transport.plugin},
               {"unpaced_tokens_per_s", limits.unpaced_tokens_per_s},
               {"unpaced_busiest_worker_pct", limits.unpaced_busiest_pct},
               {"own_load", document(limits.own)},
               {"ramp", json::array()},
               {"most_agents_held", limits.held() ? json(limits.held()->agents) : json(nullptr)},
               {"broken_by", limits.broken() ? json(culprit(*limits.broken())) : json(nullptr)},
               {"verdict", verdict(limits)}};
        for (const load_point& point : limits.ramp) j["ramp"].push_back(document(point));
        print_result(json_text(j));
    } else {
        print_result(printable(text_of(p, limits)));
    }
    return limits.own.failure.empty() ? exit_status::success : exit_status::all_failed;
}

} // namespace chimera::host
