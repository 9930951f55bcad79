#include "study/recovery.hpp"

#include "statistics/bootstrap.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace chimera::host {
namespace {

/// The longest load of a run's requests; nothing where no server says.
std::optional<double> load_ms(const study_run& run) {
    std::optional<double> out;
    for (const request_result& r : run.requests)
        if (r.server && r.server->load_ns) {
            const double ms = static_cast<double>(*r.server->load_ns) / 1e6;
            out = std::max(out.value_or(0), ms);
        }
    return out;
}

/// One agent in one run, side by side with others or in its turn.
struct agent_share {
    double duration_ms, tokens;
};

/// In the order of the run's agents; nothing where a duration or a number of tokens is not known.
std::optional<std::vector<agent_share>> shares_of(const study_run& run) {
    std::vector<agent_share> out;
    for (const agent_result& a : run.agents()) {
        if (!a.start_ns || !a.end_ns) return std::nullopt;
        agent_share share{static_cast<double>(*a.end_ns - *a.start_ns) / 1e6, 0};
        bool counted = false;
        for (const request_result& r : run.requests) {
            if (r.agent != a.id || r.execution != "together") continue;
            if (!r.ok() || !r.tokens) return std::nullopt;
            share.tokens += *r.tokens;
            counted = true;
        }
        if (!counted) return std::nullopt;
        out.push_back(share);
    }
    if (out.empty()) return std::nullopt;
    return out;
}

/// A run with all that recovery needs.
struct usable_run {
    const study_run* run;
    std::vector<agent_share> agents;
    double wall_ms;
    bool serialized;

    bool warm() const { return !run->cold.value_or(false); }
};

/// Runs of as many agents as the first usable one has. An agent is its place in the profile: configurations may name it
/// differently.
std::vector<usable_run> usable_runs(const study& s) {
    std::vector<usable_run> out;
    for (const study_run& run : s.runs) {
        const auto wall = run.value(metric::wall);
        if (!run.ok() || !wall || *wall <= 0 || !run.result.serialization || run.agents().size() < 2) continue;
        if (auto shares = shares_of(run))
            out.push_back({&run, std::move(*shares), *wall, run.result.serialization->serialized()});
    }
    if (!out.empty())
        std::erase_if(out, [n = out.front().agents.size()](const usable_run& r) { return r.agents.size() != n; });
    return out;
}

using run_list = std::vector<const usable_run*>;

run_list select(const std::vector<usable_run>& all, const std::function<bool(const usable_run&)>& wanted) {
    run_list out;
    for (const usable_run& r : all)
        if (wanted(r)) out.push_back(&r);
    return out;
}

/// ms for a token by agent, over the runs drawn; nothing where an agent has no token.
std::optional<std::vector<double>> paces_of(const run_list& runs, const std::vector<std::size_t>& drawn) {
    if (drawn.empty()) return std::nullopt;
    std::vector<agent_share> sums(runs.front()->agents.size(), agent_share{0, 0});
    for (const std::size_t i : drawn)
        for (std::size_t a = 0; a < sums.size(); ++a) {
            sums[a].duration_ms += runs[i]->agents[a].duration_ms;
            sums[a].tokens += runs[i]->agents[a].tokens;
        }
    std::vector<double> out;
    for (const agent_share& sum : sums) {
        if (sum.tokens <= 0) return std::nullopt;
        out.push_back(sum.duration_ms / sum.tokens);
    }
    return out;
}

std::vector<std::size_t> each_once(const run_list& runs) {
    std::vector<std::size_t> out(runs.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
    return out;
}

double recovered_pct(const usable_run& run, const std::vector<double>& paces) {
    double alone_ms = 0;
    for (std::size_t a = 0; a < paces.size(); ++a) alone_ms += run.agents[a].tokens * paces[a];
    return alone_ms / (static_cast<double>(paces.size()) * run.wall_ms) * 100;
}

recovered_runs recovered(const run_list& runs, const run_list& serialized) {
    recovered_runs out;
    const auto paces = paces_of(serialized, each_once(serialized));
    if (!paces || runs.empty()) return out;
    std::vector<double> values;
    for (const usable_run* r : runs) values.push_back(recovered_pct(*r, *paces));
    const auto d = statistics::describe(values);
    out.n = d.n;
    out.mean_pct = d.mean;
    if (d.n > 1) out.sd_pct = d.sd;
    const std::size_t sizes[] = {runs.size(), serialized.size()};
    const auto mean = [&](statistics::resample drawn) -> std::optional<double> {
        const auto drawn_paces = paces_of(serialized, drawn[1]);
        if (!drawn_paces) return std::nullopt;
        double sum = 0;
        for (const std::size_t i : drawn[0]) sum += recovered_pct(*runs[i], *drawn_paces);
        return sum / static_cast<double>(drawn[0].size());
    };
    constexpr std::uint64_t seed = 115; // any: the same results give the same report
    out.ci95_pct = statistics::bootstrap(sizes, mean, seed);
    return out;
}

double rate_of(const run_list& runs) {
    std::vector<double> rates;
    for (const usable_run* r : runs) {
        double tokens = 0;
        for (const agent_share& a : r->agents) tokens += a.tokens;
        rates.push_back(tokens / r->wall_ms * 1e3);
    }
    return statistics::describe(std::move(rates)).mean;
}

bool is_warm_serialized(const usable_run& r) { return r.serialized && r.warm(); }

bool anybody_ran_alone(const study& s) {
    return std::ranges::any_of(s.runs, [](const study_run& r) { return r.value(metric::efficiency).has_value(); });
}

std::vector<std::string> assumptions_of(const recovery_report& r) {
    std::vector<std::string> out{
        fmt::format(
            "An agent alone would have been as fast, token for token, as in the serialized runs of {}: these run "
            "the same requests on the same servers, one agent at a time.",
            fmt::join(r.from, ", ")),
        "The client of those runs costs nothing beside the server: its own cost would make agents alone look slower, "
        "and "
        "the recovered efficiency higher."};
    if (r.loads_known)
        out.emplace_back("A run in which a server loaded its model is in the line of all runs only.");
    else
        out.emplace_back("The servers do not say how long they loaded their models: loads are in these figures.");
    return out;
}

} // namespace

void mark_model_loads(study& s) {
    std::vector<double> loads;
    for (const study_run& run : s.runs)
        for (const request_result& r : run.requests)
            if (r.server && r.server->load_ns) loads.push_back(static_cast<double>(*r.server->load_ns) / 1e6);
    if (loads.empty()) return;
    const double median = statistics::describe(std::move(loads)).p50;
    constexpr double longer_ms = 500, times = 3;
    for (study_run& run : s.runs)
        if (const auto load = load_ms(run)) run.cold = *load > median + longer_ms && *load > times * median;
}

void recover(study& s) {
    if (anybody_ran_alone(s)) return;
    const std::vector<usable_run> all = usable_runs(s);
    const run_list serialized = select(all, is_warm_serialized);
    const auto paces = paces_of(serialized, each_once(serialized));
    if (!paces || std::ranges::all_of(all, &usable_run::serialized)) return;
    for (study_run& run : s.runs) {
        const auto usable = std::ranges::find(all, &run, &usable_run::run);
        if (usable == all.end() || !usable->warm()) continue;
        run.result.add(metric::recovered_efficiency, recovered_pct(*usable, *paces));
        s.definitions.try_emplace(name_of(metric::recovered_efficiency),
                                  definition_of(metric::recovered_efficiency, provenance::derived));
    }
}

std::optional<recovery_report> recovery_of(const study& s) {
    if (!s.definitions.contains(name_of(metric::recovered_efficiency))) return std::nullopt;
    const std::vector<usable_run> all = usable_runs(s);
    const run_list serialized = select(all, [](const usable_run&r) { return r.serialized; }),
                   warm_serialized = select(all, is_warm_serialized);
    recovery_report out;
    out.serialized_runs = serialized.size();
    out.warm_serialized_runs = warm_serialized.size();
    out.loads_known = std::ranges::any_of(s.runs, [](const study_run& r) { return r.cold.has_value(); });
    const auto paces = paces_of(warm_serialized, each_once(warm_serialized));
    if (!paces) return std::nullopt;
    for (std::size_t a = 0; a < paces->size(); ++a) out.paces.push_back({all.front().run->agents()[a].id, (*paces)[a]});
    out.in_turn_tok_s = rate_of(warm_serialized);
    out.together_tok_s = rate_of(select(all, [](const usable_run& r) { return !r.serialized && r.warm(); }));
    for (const planned_runtime& runtime : s.runtimes) {
        const auto is_of = [&](const usable_run& r) { return r.run->runtime == runtime.name; };
        if (std::ranges::any_of(serialized, [&](const usable_run* r) { return is_of(*r); }))
            out.from.push_back(runtime.name);
        const auto side_by_side = [&](const usable_run& r) { return is_of(r) && !r.serialized; };
        const run_list runs = select(all, side_by_side);
        if (runs.empty()) continue;
        const run_list warm = select(all, [&](const usable_run& r) { return side_by_side(r) && r.warm(); });
        out.runtimes.push_back({runtime.name, recovered(warm, warm_serialized), recovered(runs, serialized)});
    }
    out.assumptions = assumptions_of(out);
    return out;
}

} // namespace chimera::host
