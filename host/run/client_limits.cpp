#include "run/client_limits.hpp"

#include "backend/server_pool.hpp"
#include "measure/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chimera::host {
namespace {

constexpr double ramp_rate = 50, ramp_seconds = 2;
constexpr std::size_t unpaced_agents = 8, unpaced_tokens = 20'000;

/// The profile's client before a simulator that paces equal replies. Rate 0: unpaced.
profile load_profile_of(const profile& client, std::size_t agents, double rate, std::size_t tokens) {
    profile p = client;
    p.backend.urls.clear();
    p.backend.instances = 1;
    p.backend.speeds.clear();
    p.backend.shared_gpu = false;
    const std::string count = fmt::format("{}", tokens);
    p.backend.simulator = {{"load_ms", "0", CHM_OPT_INT},
                           {"prefill_tokens_per_s", "0", CHM_OPT_FLOAT},
                           {"decode_tokens_per_s", fmt::format("{}", rate), CHM_OPT_FLOAT},
                           {"reply_tokens_min", count, CHM_OPT_INT},
                           {"reply_tokens_max", count, CHM_OPT_INT}};
    p.workload.kind = workload_kind::calls;
    p.workload.calls_per_agent = 1;
    p.workload.prompts = {"count"};
    p.workload.permits = static_cast<int>(agents);
    p.workload.agents.clear();
    for (std::size_t i = 0; i < agents; ++i) {
        agent_spec a;
        a.id = a.label = fmt::format("agent_{}", i + 1);
        a.model = "gemma3:latest";
        p.workload.agents.push_back(std::move(a));
    }
    return p;
}

class limits_run {
  public:
    limits_run(const profile& client, registry& plugins, const loaded_plugins& loaded, execution_control& control)
        : client_(client), plugins_(plugins), loaded_(loaded), control_(control) {}

    run_record execute_load(std::size_t agents, double rate, std::size_t tokens) const {
        const profile p = load_profile_of(client_, agents, rate, tokens);
        const server_pool servers(p, simulator_program());
        const execution_setup setup{p, plugins_, loaded_, servers, {}};
        std::vector<std::size_t> all(agents);
        for (std::size_t i = 0; i < agents; ++i) all[i] = i;
        run_record run;
        run.number = 1;
        run.concurrent = execute(setup, all, client_.measure.seed, control_);
        return run;
    }

    load_point measure(std::size_t agents, double rate, std::size_t tokens, double wall_of_one) const {
        const run_record run = execute_load(agents, rate, tokens);
        load_point out;
        out.agents = agents;
        out.tokens_per_s = rate;
        const double wall = static_cast<double>(run.concurrent.wall());
        out.wall_ratio = wall_of_one > 0 ? wall / wall_of_one : 1;
        for (const agent_record& a : run.concurrent.agents) {
            if (out.failure.empty()) out.failure = a.error;
            for (const request_record& r : a.requests)
                if (out.failure.empty()) out.failure = r.error;
        }
        const campaign_metrics metrics({&run, 1});
        out.delay_p50_us = metrics[metric::delivery_delay].p50;
        out.delay_p99_us = metrics[metric::delivery_delay].p99;
        out.busiest_pct = metrics[metric::busiest_worker].mean;
        out.queued_pct = metrics[metric::queued_worker].mean;
        return out;
    }

  private:
    const profile& client_;
    registry& plugins_;
    const loaded_plugins& loaded_;
    execution_control& control_;
};

/// The decode rate of the profile's simulator; 100 tok/s for a real server.
double own_rate(const profile& p) {
    for (const option_value& o : p.backend.simulator)
        if (o.key == "decode_tokens_per_s") return std::stod(o.value);
    return 100;
}

} // namespace

const load_point* client_limits::held() const noexcept {
    const load_point* last = nullptr;
    for (const load_point& p : ramp)
        if (p.held()) last = &p;
    return last;
}

const load_point* client_limits::broken() const noexcept {
    const auto first = std::ranges::find_if_not(ramp, &load_point::held);
    return first == ramp.end() ? nullptr : &*first;
}

client_limits measure_client_limits(const profile& p, registry& plugins, const loaded_plugins& loaded, std::size_t most,
                                    execution_control& control, const std::function<void(const std::string&)>& told) {
    const limits_run loads(p, plugins, loaded, control);
    client_limits out;
    out.ramp_tokens_per_s = ramp_rate;

    told(fmt::format("{} agents, unpaced", unpaced_agents));
    const run_record fast = loads.execute_load(unpaced_agents, 0, unpaced_tokens);
    const campaign_metrics metrics({&fast, 1});
    out.unpaced_tokens_per_s = metrics[metric::throughput].mean;
    out.unpaced_busiest_pct = metrics[metric::busiest_worker].mean;
    if (control.stopped()) return out;

    const double rate = own_rate(p) > 0 ? own_rate(p) : 100;
    const std::size_t agents = p.workload.agents.size();
    const auto own_tokens = std::max<std::size_t>(static_cast<std::size_t>(rate * ramp_seconds), 10);
    told(fmt::format("{} agents at {:g} tok/s each, as the profile", agents, rate));
    const double one = static_cast<double>(loads.execute_load(1, rate, own_tokens).concurrent.wall());
    out.own = loads.measure(agents, rate, own_tokens, one);

    constexpr auto tokens = static_cast<std::size_t>(ramp_rate * ramp_seconds);
    double wall_of_one = 0;
    for (std::size_t n = 1; n <= most && !control.stopped(); n *= 2) {
        told(fmt::format("{} agents at {:g} tok/s each", n, ramp_rate));
        if (n == 1) wall_of_one = static_cast<double>(loads.execute_load(1, ramp_rate, tokens).concurrent.wall());
        load_point point = loads.measure(n, ramp_rate, tokens, wall_of_one);
        if (control.stopped()) break; // an unfinished load is not a result
        out.ramp.push_back(std::move(point));
        if (!out.ramp.back().held()) break;
    }
    return out;
}

} // namespace chimera::host
