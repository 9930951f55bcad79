#include "cli/selfcheck_command.hpp"

#include "cli/plugin_schemas.hpp"
#include "cli/standard_output.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "run/client_limits.hpp"
#include "run/interruption.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

#include <sys/resource.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

/// Each agent has a socket here and one in the simulator, which inherits this limit.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// A figure of a load without a failed request.
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

/// What came to its end at the load that broke.
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
        print_result(j.dump(2) + "\n");
    } else {
        print_result(printable(text_of(p, limits)));
    }
    return limits.own.failure.empty() ? exit_status::success : exit_status::all_failed;
}

} // namespace chimera::host
