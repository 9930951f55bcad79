#include "study/report_document.hpp"

#include "statistics/description.hpp"
#include "study/findings.hpp"
#include "study/method.hpp"
#include "study/metric_catalogue.hpp"
#include "study/parameter_table.hpp"
#include "study/scaling_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

std::string count(std::size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

std::string title_of(const study& s) {
    return fmt::format("{}: {}, {}, {}", s.name, count(s.runtimes.size(), "runtime"),
                       count(s.configs.size(), "configuration"), count(s.runs.size(), "run"));
}

std::string question_of(const study& s) {
    if (!s.question.empty()) return s.question;
    return s.runtimes.size() > 1
               ? "Does the client runtime decide how well the agents run side by side, and which part of "
                 "what is lost is whose?"
               : "How much of the agents' time is lost, and to what?";
}

json method_json(const study& s) {
    json j;
    int runs = 0;
    for (const study_run& r : s.runs) runs = std::max(runs, r.number);
    j["runs"] = runs;
    j["seed"] = or_null(s.seed);
    j["order"] = text_or_null(s.order);
    j["backend"] = text_or_null(s.backend);
    j["runtimes"] = json::array();
    for (const study_runtime& r : s.runtimes)
        j["runtimes"].push_back({{"name", r.name},
                                 {"description", text_or_null(r.description)},
                                 {"executor", text_or_null(r.executor)},
                                 {"transport", text_or_null(r.transport)},
                                 {"foreign", text_or_null(r.foreign)}});
    j["configs"] = json::array();
    for (const study_config& c : s.configs) j["configs"].push_back({{"name", c.name}, {"parameters", c.parameters}});
    const auto most = std::ranges::max_element(s.runs, {}, [](const study_run& r) { return r.agents.size(); });
    j["agents"] = json::array();
    for (const study_agent& a : most->agents) j["agents"].push_back(a.id);
    j["sentences"] = method_of(s);
    return j;
}

json metrics_json(const study& s) {
    json out = json::object();
    for (const std::string& name : metric_names(s)) {
        const metric_definition d = definition_of(s, name);
        out[name] = {{"unit", d.unit}, {"definition", d.text}, {"provenance", d.provenance}};
    }
    return out;
}

json cells_json(const study& s) {
    json failures = json::array();
    std::size_t damaged = 0;
    for (const study_run& r : s.runs) damaged += r.damaged();
    for (const study_run& r : s.runs)
        if (!r.ok())
            failures.push_back({{"runtime", r.runtime},
                                {"config", r.config},
                                {"run", r.number},
                                {"status", r.status},
                                {"message", r.message}});
    const std::size_t not_ok = failures.size();
    return {{"planned", s.cells_planned}, {"ok", s.runs.size() - not_ok},     {"failed", not_ok - damaged},
            {"damaged", damaged},         {"not_needed", s.cells_not_needed}, {"failures", std::move(failures)}};
}

/// A distribution as its hundredths, linear between order statistics (Hyndman and Fan's type 7).
json distribution_json(const std::string& runtime, const char* metric, std::vector<double> sample) {
    std::ranges::sort(sample);
    const statistics::description d = statistics::describe(sample);
    json j{{"runtime", runtime}, {"metric", metric}, {"n", d.n}, {"mean", d.mean}, {"sd", d.sd}};
    for (int i = 0; i <= 100; ++i) j["quantiles"].push_back({i / 100.0, statistics::quantile(sample, i / 100.0)});
    return j;
}

json distributions_json(const study& s) {
    json out = json::array();
    for (const study_runtime& runtime : s.runtimes) {
        std::vector<double> ttft, itl;
        for (const study_run& run : s.runs) {
            if (run.runtime != runtime.name || !run.ok()) continue;
            itl.insert(itl.end(), run.itl_ms.begin(), run.itl_ms.end());
            for (const study_agent& a : run.agents)
                for (const study_request& r : a.requests)
                    if (r.ok && r.dispatched_ms && r.first_token_ms)
                        ttft.push_back(*r.first_token_ms - *r.dispatched_ms);
        }
        if (!ttft.empty()) out.push_back(distribution_json(runtime.name, "ttft_ms", std::move(ttft)));
        if (!itl.empty()) out.push_back(distribution_json(runtime.name, "itl_ms", std::move(itl)));
    }
    return out;
}

json agent_json(const study_agent& a) {
    json requests = json::array();
    for (const study_request& r : a.requests)
        requests.push_back({{"call", r.call},
                            {"ok", r.ok},
                            {"dispatched_ms", or_null(r.dispatched_ms)},
                            {"first_token_ms", or_null(r.first_token_ms)},
                            {"last_token_ms", or_null(r.last_token_ms)},
                            {"done_ms", or_null(r.done_ms)},
                            {"tokens", or_null(r.tokens)},
                            {"hidden_tokens", r.hidden_tokens},
                            {"prompt_tokens", or_null(r.prompt_tokens)}});
    return {{"id", a.id},
            {"model", text_or_null(a.model)},
            {"start_ms", or_null(a.start_ms)},
            {"end_ms", or_null(a.end_ms)},
            {"requests", std::move(requests)}};
}

json run_json(const study& s, const study_run& run) {
    json j{{"runtime", run.runtime}, {"config", run.config}, {"run", run.number}, {"status", run.status}};
    if (!run.ok()) j["message"] = run.message;
    j["values"] = json::object();
    for (const std::string& metric : metric_names(s))
        if (const auto v = run.value(metric)) j["values"][metric] = *v;
    j["serialization"] = nullptr;
    if (const auto& v = run.serialization)
        j["serialization"] = {{"verdict", v->serialized ? "serialized" : "parallel"},
                              {"cause", v->cause},
                              {"overlap_pct", or_null(v->overlap_pct)},
                              {"evidence", v->evidence}};
    j["client_limited"] = run.self_check ? json(run.self_check->client_limited) : json(nullptr);
    j["arrival_limited"] = run.self_check ? json(run.self_check->arrival_limited) : json(nullptr);
    j["remarks"] = json::array();
    for (const study_remark& r : run.remarks)
        j["remarks"].push_back({{"what", r.what}, {"detail", r.detail}, {"replies", r.replies}, {"of", r.of}});
    j["agents"] = json::array();
    for (const study_agent& a : run.agents) j["agents"].push_back(agent_json(a));
    return j;
}

} // namespace

json report_document(const study& s, std::string_view generated_by) {
    const std::vector<runtime_result> results = results_of(s);
    const std::vector<metric_comparison> comparisons = compare_runtimes(s);
    json j{{"schema_version", report_schema_version},
           {"kind", "report"},
           {"name", s.name},
           {"title", title_of(s)},
           {"description", text_or_null(s.description)},
           {"question", question_of(s)},
           {"source", s.source},
           {"generated_by", generated_by},
           {"method", method_json(s)},
           {"metrics", metrics_json(s)},
           {"cells", cells_json(s)},
           {"damage", damage_of(s)},
           {"headline", headline_of(s)},
           {"runtimes", to_json(results)},
           {"configs", config_table(s)},
           {"comparisons", json::array()},
           {"scaling", scaling_table(s)},
           {"parameters", parameter_table(s, results)},
           {"improvement", improvement_table(s)},
           {"findings", findings_of(s, results, comparisons)},
           {"limits", limits_of(s, results)},
           {"repeat", repeat_of(s)},
           {"distributions", distributions_json(s)},
           {"runs", json::array()}};
    for (const metric_comparison& c : comparisons) j["comparisons"].push_back(to_json(c));
    for (const study_run& run : s.runs) j["runs"].push_back(run_json(s, run));
    return j;
}

} // namespace chimera::host
