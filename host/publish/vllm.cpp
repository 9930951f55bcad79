#include "publish/publish.hpp"
#include "statistics/description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace chimera::host {
namespace {

/// The requests of one runtime. An optional total is lost with the first request that does not say.
struct benchmark {
    double duration_s = 0;
    std::size_t completed = 0, failed = 0, most_agents = 0;
    std::optional<double> input_tokens = 0, output_tokens = 0;
    std::vector<double> ttft_ms, tpot_ms, e2e_ms;
    std::optional<std::string> model;
};

template <class T>
void add(std::optional<double>& total, const std::optional<T>& value) {
    if (!value)
        total.reset();
    else if (total)
        *total += static_cast<double>(*value);
}

void add_request(benchmark& b, const reported_request& r) {
    if (!r.ok) {
        ++b.failed;
        return;
    }
    ++b.completed;
    add(b.input_tokens, r.prompt_tokens);
    add(b.output_tokens, r.tokens);
    if (!r.dispatched_ms || !r.done_ms) return;
    const double latency = *r.done_ms - *r.dispatched_ms;
    b.e2e_ms.push_back(latency);
    if (!r.first_token_ms) return;
    const double ttft = *r.first_token_ms - *r.dispatched_ms;
    b.ttft_ms.push_back(ttft);
    if (!r.tokens) return;
    // vLLM's own definition, not the one of the metric table.
    if (const double came = *r.tokens - static_cast<double>(r.hidden_tokens); came > 1)
        b.tpot_ms.push_back((latency - ttft) / (came - 1));
}

benchmark benchmark_of(const study_report& report, const runtime_report& runtime) {
    benchmark b;
    for (const reported_run& run : report.runs) {
        if (run.runtime != runtime.name || run.status != "ok") continue;
        b.duration_s += run.value(name_of(metric::wall)).value_or(0) / 1e3;
        b.most_agents = std::max(b.most_agents, run.agents.size());
        for (const reported_agent& agent : run.agents) {
            if (!b.model) b.model = agent.model;
            for (const reported_request& request : agent.requests) add_request(b, request);
        }
    }
    return b;
}

json rate(std::optional<double> count, double duration_s) {
    return count && duration_s > 0 ? json(*count / duration_s) : json(nullptr);
}

double of_population(double sd, std::size_t n) {
    return n > 1 ? sd * std::sqrt((static_cast<double>(n) - 1) / static_cast<double>(n)) : 0;
}

void add_latency(json& out, const char* name, json mean, json median, json sd, json p99) {
    out[fmt::format("mean_{}_ms", name)] = std::move(mean);
    out[fmt::format("median_{}_ms", name)] = std::move(median);
    out[fmt::format("std_{}_ms", name)] = std::move(sd);
    out[fmt::format("p99_{}_ms", name)] = std::move(p99);
}

void add_latency(json& out, const char* name, const std::vector<double>& sample) {
    if (sample.empty()) return add_latency(out, name, nullptr, nullptr, nullptr, nullptr);
    const statistics::description d = statistics::describe(sample);
    add_latency(out, name, d.mean, d.p50, of_population(d.sd, d.n), d.p99);
}

/// Gaps are too many for the report: it has their hundredths.
void add_gaps(json& out, const study_report& report, const runtime_report& runtime) {
    const auto d = std::ranges::find_if(report.distributions, [&](const distribution_report& x) {
        return x.runtime == runtime.name && x.metric == row_of(metric::itl).name;
    });
    if (d == report.distributions.end()) return add_latency(out, "itl", nullptr, nullptr, nullptr, nullptr);
    add_latency(out, "itl", d->mean, d->quantiles[50][1], of_population(d->sd, d->n), d->quantiles[99][1]);
}

/// "20251114-093000" of "2025-11-14T09:30:00Z".
json date_of(const study_report& report) {
    if (!report.origin) return nullptr;
    std::string out;
    for (const char c : report.origin->first_begun)
        if (c == 'T')
            out += '-';
        else if (c >= '0' && c <= '9')
            out += c;
    return out;
}

json object_of(const study_report& report, const runtime_report& runtime) {
    const benchmark b = benchmark_of(report, runtime);
    std::optional<double> total;
    if (b.input_tokens && b.output_tokens) total = *b.input_tokens + *b.output_tokens;
    const auto or_null = [](const std::optional<double>& v) { return v ? json(std::llround(*v)) : json(nullptr); };
    json j{{"date", date_of(report)},
           {"endpoint_type", to_json(report.method.backend)},
           {"backend", to_json(report.method.backend)},
           {"label", runtime.name},
           {"model_id", to_json(b.model)},
           {"tokenizer_id", nullptr},
           {"num_prompts", b.completed + b.failed},
           {"request_rate", "inf"}, // closed loop: an agent sends its next request when it has the answer
           {"burstiness", 1.0},
           {"max_concurrency", b.most_agents},
           {"duration", b.duration_s},
           {"completed", b.completed},
           {"failed", b.failed},
           {"total_input_tokens", or_null(b.input_tokens)},
           {"total_output_tokens", or_null(b.output_tokens)},
           {"request_throughput", rate(static_cast<double>(b.completed), b.duration_s)},
           {"request_goodput", nullptr},
           {"output_throughput", rate(b.output_tokens, b.duration_s)},
           {"total_token_throughput", rate(total, b.duration_s)}};
    if (runtime.arrival_limited_runs.value_or(0) > 0)
        j["arrival_limited_runs"] = *runtime.arrival_limited_runs; // tpot and itl say nothing of the server in these
    if (!report.damage.empty()) j["damage"] = report.damage; // the figures are about fewer runs than were measured
    add_latency(j, "ttft", b.ttft_ms);
    add_latency(j, "tpot", b.tpot_ms);
    add_gaps(j, report, runtime);
    add_latency(j, "e2el", b.e2e_ms);
    return j;
}

} // namespace

json to_vllm(const study_report& report) {
    json all = json::array();
    for (const runtime_report& runtime : report.runtimes) all.push_back(object_of(report, runtime));
    return all.size() == 1 ? all[0] : all;
}

} // namespace chimera::host
