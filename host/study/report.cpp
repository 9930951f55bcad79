#include "result/request_times.hpp"
#include "statistics/description.hpp"
#include "study/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

std::optional<std::string> text_or_nothing(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

std::string count(std::size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

std::string title_of(const study& s) {
    return fmt::format("{}: {}, {}, {}", s.name, count(s.runtimes.size(), "runtime"),
                       count(s.configs.size(), "configuration"), count(s.runs.size(), "run"));
}

std::string question_of(const study& s) {
    if (!s.question.empty()) return s.question;
    if (headline_of(s) == name_of(metric::hundred_cycles))
        return "What do the agents' messages and decisions cost, and which part of it?";
    return s.runtimes.size() > 1
               ? "Does the client runtime decide how well the agents run side by side, and which part of "
                 "what is lost is whose?"
               : "How much of the agents' time is lost, and to what?";
}

method_report method_report_of(const study& s) {
    method_report out;
    for (const study_run& r : s.runs) out.runs = std::max(out.runs, r.number);
    out.seed = s.seed;
    out.order = s.order;
    out.backend = s.backend;
    out.runtimes = s.runtimes;
    out.configs = s.configs;
    const auto most = std::ranges::max_element(s.runs, {}, [](const study_run& r) { return r.agents().size(); });
    for (const agent_result& a : most->agents()) out.agents.push_back(a.id);
    out.sentences = method_of(s);
    return out;
}

cells_report cells_of(const study& s) {
    cells_report out{.planned = s.cells_planned, .not_needed = s.cells_not_needed, .failures = {}};
    for (const study_run& r : s.runs) {
        ++(r.ok() ? out.ok : r.damaged() ? out.damaged : out.failed);
        if (!r.ok()) out.failures.push_back({r.runtime, r.config, r.number, r.status, r.message});
    }
    return out;
}

/// Adds the hundredths of a sample, linear between order statistics (Hyndman and Fan's type 7).
void add_distribution(std::vector<distribution_report>& out, const std::string& runtime, metric m,
                      std::vector<double> sample) {
    if (sample.empty()) return;
    std::ranges::sort(sample);
    const statistics::description d = statistics::describe(sample);
    distribution_report report{runtime, std::string(row_of(m).name), d.n, d.mean, d.sd, {}};
    for (int i = 0; i <= 100; ++i) report.quantiles.push_back({i / 100.0, statistics::quantile(sample, i / 100.0)});
    out.push_back(std::move(report));
}

std::vector<distribution_report> distributions_of(const study& s) {
    std::vector<distribution_report> out;
    for (const planned_runtime& runtime : s.runtimes) {
        std::vector<double> ttft, itl;
        for (const study_run& run : s.runs) {
            if (run.runtime != runtime.name || !run.ok()) continue;
            itl.insert(itl.end(), run.itl_ms.begin(), run.itl_ms.end());
            for (const request_result& r : run.requests)
                if (const auto value = ttft_ms(r.dispatched_ns, r.first_token_ns); r.ok() && value)
                    ttft.push_back(*value);
        }
        add_distribution(out, runtime.name, metric::ttft, std::move(ttft));
        add_distribution(out, runtime.name, metric::itl, std::move(itl));
    }
    return out;
}

std::vector<std::string> serialized_names(const std::vector<runtime_report>& all) {
    std::vector<std::string> out;
    for (const runtime_report& r : all)
        if (r.serialized()) out.push_back(r.name);
    return out;
}

std::optional<double> ms(std::optional<std::int64_t> ns) {
    return ns ? std::optional(static_cast<double>(*ns) / 1e6) : std::nullopt;
}

reported_request request_of(const request_result& r) {
    return {.call = r.call,
            .ok = r.ok(),
            .dispatched_ms = ms(r.dispatched_ns),
            .first_token_ms = ms(r.first_token_ns),
            .last_token_ms = ms(r.last_token_ns),
            .done_ms = ms(r.done_ns),
            .tokens = r.tokens,
            .hidden_tokens = r.hidden_tokens,
            .prompt_tokens = r.server ? r.server->prompt_tokens : std::nullopt};
}

/// The model that every agent asked for; nothing where they asked for several, or where it is not recorded.
std::optional<std::string> only_model_of(const study_run& run) {
    std::optional<std::string> out;
    if (!run.result.origin) return out;
    for (const server_identity& server : run.result.origin->servers)
        for (const model_identity& model : server.models) {
            if (out && *out != model.name) return std::nullopt;
            out = model.name;
        }
    return out;
}

reported_run run_of(const study& s, const study_run& run) {
    reported_run out;
    out.runtime = run.runtime;
    out.config = run.config;
    out.run = run.number;
    out.status = run.status;
    if (!run.ok()) out.message = run.message;
    for (const std::string& name : figure_names(s))
        if (const auto value = run.value(name)) out.values.emplace_back(name, *value);
    out.serialization = run.result.serialization;
    if (const auto& client = run.result.client) {
        out.client_limited = client->client_limited;
        out.arrival_limited = client->arrival_limited;
    }
    out.remarks = run.result.remarks;
    const auto model = only_model_of(run);
    for (const agent_result& a : run.agents()) {
        reported_agent agent{a.id, a.model ? a.model : model, ms(a.start_ns), ms(a.end_ns), {}};
        for (const request_result& r : run.requests)
            if (r.agent == a.id) agent.requests.push_back(request_of(r));
        out.agents.push_back(std::move(agent));
    }
    return out;
}

} // namespace

study_report report_of(const study& s, std::string_view generated_by) {
    study_report out;
    out.name = s.name;
    out.title = title_of(s);
    out.description = text_or_nothing(s.description);
    out.question = question_of(s);
    out.source = s.source;
    out.generated_by = generated_by;
    out.method = method_report_of(s);
    out.origin = provenance_of(s);
    for (const std::string& name : figure_names(s)) out.metrics.emplace_back(name, definition_of(s, name));
    out.cells = cells_of(s);
    out.damage = damage_of(s);
    out.headline = headline_of(s);
    out.recovery = recovery_of(s);
    out.runtimes = runtimes_of(s);
    out.configs = configs_of(s);
    out.ranked_configs = ranked_configs_of(s);
    out.stability = stability_of(s);
    out.order = order_of(s);
    out.agents = agents_report_of(s);
    out.agent_deltas = agent_deltas_of(s);
    out.parity = parity_of(s);
    out.overview = overview_of(s);
    out.decisions = decisions_of(s, serialized_names(out.runtimes));
    out.comparisons = compare_runtimes(s);
    out.scaling = scaling_of(s);
    out.parameters = parameters_of(s, out.runtimes);
    out.improvements = improvements_of(s);
    out.alerts = alerted_runs_of(s);
    out.soak = soaked_runs_of(s);
    out.claims = claims_of(s);
    out.hypotheses = hypotheses_of(s);
    out.criteria = criteria_of(s);
    out.references = references_of(s);
    out.costs = costs_of(s);
    out.answer = answer_of(s, out);
    out.findings = findings_of(s, out);
    out.limits = limits_of(s, out);
    out.repeat = repeat_of(s);
    out.distributions = distributions_of(s);
    for (const study_run& run : s.runs) out.runs.push_back(run_of(s, run));
    return out;
}

} // namespace chimera::host
