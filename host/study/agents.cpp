#include "study/agents.hpp"

#include "result/request_times.hpp"
#include "statistics/equivalence.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace chimera::host {
namespace {

/// One agent in one run.
struct agent_run {
    std::optional<double> ttft_ms, e2e_ms, tokens_per_second, tokens;
};

/// Tokens per second of a reply: the server's, unless the arrivals contradict them; else from arrivals.
std::optional<double> rate_of(const request_result& r) {
    if (!r.tokens || *r.tokens <= 0) return std::nullopt;
    if (r.server && r.server->eval_ns && *r.server->eval_ns > 0 && r.server_durations_used.value_or(true))
        return *r.tokens / static_cast<double>(*r.server->eval_ns) * 1e9;
    const auto last = r.last_token_ns ? r.last_token_ns : r.done_ns;
    if (!r.first_token_ns || !last || *last <= *r.first_token_ns) return std::nullopt;
    return *r.tokens / static_cast<double>(*last - *r.first_token_ns) * 1e9;
}

std::optional<double> median_of(std::vector<double> values) {
    return values.empty() ? std::nullopt : std::optional(statistics::describe(std::move(values)).p50);
}

std::optional<double> mean_of(std::vector<double> values) {
    return values.empty() ? std::nullopt : std::optional(statistics::describe(std::move(values)).mean);
}

/// The agent at this place of the profile. Nothing is known of one that the run does not have.
agent_run agent_in(const study_run& run, std::size_t place) {
    if (place >= run.agents().size()) return {};
    const std::string& agent = run.agents()[place].id;
    std::vector<double> ttft, e2e, rates, tokens;
    for (const request_result& r : run.requests) {
        if (r.agent != agent || r.execution != "together" || !r.ok()) continue;
        if (const auto v = host::ttft_ms(r.dispatched_ns, r.first_token_ns)) ttft.push_back(*v);
        if (const auto v = host::e2e_ms(r.dispatched_ns, r.done_ns)) e2e.push_back(*v);
        if (const auto v = rate_of(r)) rates.push_back(*v);
        if (r.tokens) tokens.push_back(*r.tokens);
    }
    return {median_of(std::move(ttft)), median_of(std::move(e2e)), mean_of(std::move(rates)),
            mean_of(std::move(tokens))};
}

bool shows_agents(const study& s) { return agents_of(s) >= 2 && agents_of(s) <= most_agents_shown; }

bool ran_side_by_side(const study_run& run) {
    return !(run.result.serialization && run.result.serialization->serialized());
}

/// Calls f(runtime, config, runs): the runs of each runtime, then those of each configuration.
void for_each_group(
    const study& s,
    const std::function<void(const std::string&, const std::string&, const std::vector<const study_run*>&)>& f) {
    for (const planned_runtime& r : s.runtimes) {
        std::vector<const study_run*> runs;
        for (const study_run& run : s.runs)
            if (run.ok() && run.runtime == r.name) runs.push_back(&run);
        f(r.name, "", runs);
    }
    if (s.configs.size() < 2) return;
    for (const planned_configuration& c : s.configs) {
        std::vector<const study_run*> runs;
        for (const study_run& run : s.runs)
            if (run.ok() && run.config == c.name && ran_side_by_side(run)) runs.push_back(&run);
        f("", c.name, runs);
    }
}

template <class Member>
std::vector<double> values_of(const std::vector<agent_run>& all, Member member) {
    std::vector<double> out;
    for (const agent_run& a : all)
        if (a.*member) out.push_back(*(a.*member));
    return out;
}

} // namespace

std::vector<agent_figures> agents_report_of(const study& s) {
    std::vector<agent_figures> out;
    if (!shows_agents(s)) return out;
    for_each_group(s, [&](const std::string& runtime, const std::string& config,
                          const std::vector<const study_run*>& runs) {
        for (std::size_t place = 0; place < agents_of(s); ++place) {
            std::vector<agent_run> all;
            for (const study_run* run : runs)
                if (auto a = agent_in(*run, place); a.ttft_ms || a.e2e_ms || a.tokens) all.push_back(std::move(a));
            if (all.empty()) continue;
            out.push_back(
                {runtime, config, agent_name(s, place), all.size(), median_of(values_of(all, &agent_run::ttft_ms)),
                 median_of(values_of(all, &agent_run::e2e_ms)), mean_of(values_of(all, &agent_run::tokens_per_second)),
                 mean_of(values_of(all, &agent_run::tokens))});
        }
    });
    return out;
}

std::vector<agent_delta> agent_deltas_of(const study& s) {
    std::vector<agent_delta> out;
    if (!shows_agents(s)) return out;
    const std::pair<const char*, std::optional<double> agent_run::*> compared[] = {
        {"ttft_ms", &agent_run::ttft_ms}, {"tokens_per_second", &agent_run::tokens_per_second}};
    for_each_group(
        s, [&](const std::string& runtime, const std::string& config, const std::vector<const study_run*>& runs) {
            for (std::size_t place = 1; place < agents_of(s); ++place)
                for (const auto& [metric, member] : compared) {
                    std::vector<double> differences;
                    for (const study_run* run : runs) {
                        if (run->cold.value_or(false)) continue;
                        const auto first = agent_in(*run, 0).*member, other = agent_in(*run, place).*member;
                        if (first && other) differences.push_back(*other - *first);
                    }
                    if (differences.empty()) continue;
                    const auto test = statistics::one_sample(differences, 0);
                    const auto d = statistics::describe(differences);
                    out.push_back({runtime, config, agent_name(s, place), agent_name(s, 0), metric, d.n, d.mean, d.ci95,
                                   test ? std::optional(test->p) : std::nullopt});
                }
        });
    return out;
}

std::vector<parity_report> parity_of(const study& s) {
    struct quantity {
        const char* name;
        std::function<std::optional<double>(const study_run&)> of;
    };
    const auto sum = [](const study_run& run, const std::function<std::optional<double>(const request_result&)>& of) {
        std::optional<double> out;
        for (const request_result& r : run.requests)
            if (r.execution == "together")
                if (const auto v = of(r)) out = out.value_or(0) + *v;
        return out;
    };
    const quantity quantities[] = {
        {"calls",
         [&](const study_run& run) { return sum(run, [](const request_result&) { return std::optional(1.0); }); }},
        {"prompt tokens",
         [&](const study_run& run) {
             return sum(run, [](const request_result& r) {
                 return r.server && r.server->prompt_tokens
                            ? std::optional(static_cast<double>(*r.server->prompt_tokens))
                            : std::nullopt;
             });
         }},
        {"tokens of replies",
         [&](const study_run& run) { return sum(run, [](const request_result& r) { return r.tokens; }); }},
    };
    std::vector<parity_report> out;
    if (s.runtimes.size() < 2 || agents_of(s) > most_agents_shown) return out;
    for (const quantity& q : quantities) {
        parity_report row{q.name, true, {}};
        std::map<std::pair<std::string, int>, double> seen; // of a configuration and run number
        bool any = false;
        for (const planned_runtime& r : s.runtimes) {
            std::vector<double> values;
            for (const study_run& run : s.runs) {
                if (!run.ok() || run.runtime != r.name) continue;
                const auto v = q.of(run);
                if (!v) continue;
                values.push_back(*v);
                const auto [first, is_new] = seen.emplace(std::pair(run.config, run.number), *v);
                row.equal = row.equal && (is_new || first->second == *v);
            }
            any = any || !values.empty();
            row.cells.push_back({r.name, mean_of(std::move(values))});
        }
        if (any) out.push_back(std::move(row));
    }
    return out;
}

} // namespace chimera::host
