#include "tr115/converted_run.hpp"

#include "statistics/description.hpp"
#include "statistics/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <numeric>

namespace chimera::host {
namespace {

/// Mean and quantiles over the requests; nothing where none was recorded.
void add_requests(run_result& out, metric m, provenance from, const std::vector<double>& sample) {
    if (sample.empty()) return;
    const statistics::description d = statistics::describe(sample);
    out.add({m, statistic::mean}, d.mean, from);
    out.add({m, statistic::p50}, d.p50, from);
    out.add({m, statistic::p95}, d.p95, from);
    out.add({m, statistic::p99}, d.p99, from);
}

std::optional<double> extreme(const tr115_record& r, bool longest) {
    const auto [least, most] = std::ranges::minmax_element(r.agents, {}, &tr115_agent::duration_ms);
    return least->duration_ms ? (longest ? most : least)->duration_ms : std::nullopt;
}

void add_durations(run_result& out, const tr115_record& r) {
    const auto longest = extreme(r, true);
    if (!longest) return;
    const double n = static_cast<double>(r.agents.size()), agent_time = n * r.wall_ms;
    const double bound = r.durations_ms / (n * *longest) * 100;
    out.add(metric::imbalance_bound, bound);
    out.add(metric::remainder, bound - estimated_efficiency_pct(r));
    out.add(metric::late_start, (r.wall_ms - *longest) / r.wall_ms * 100);
    out.add(metric::imbalance, (n * *longest - r.durations_ms) / agent_time * 100);
}

/// tokens_i / C_i of each agent; empty where the files lack one of them.
std::vector<double> agent_rates(const tr115_record& r) {
    std::vector<double> out;
    for (const tr115_agent& a : r.agents) {
        double tokens = 0;
        for (const tr115_request& q : a.requests) {
            if (!q.tokens || !a.duration_ms) return {};
            tokens += *q.tokens;
        }
        out.push_back(tokens / *a.duration_ms * 1e3);
    }
    return out;
}

/// The values of a member over all requests that have it.
std::vector<double> values_of(const tr115_record& r, std::optional<double> tr115_request::*member) {
    std::vector<double> out;
    for (const tr115_agent& a : r.agents)
        for (const tr115_request& q : a.requests)
            if (q.*member) out.push_back(*(q.*member));
    return out;
}

void add_values(run_result& out, const tr115_record& r) {
    out.add(metric::estimated_efficiency, estimated_efficiency_pct(r));
    out.add(metric::wall, r.wall_ms);
    add_durations(out, r);
    std::vector<double> ttft, rates;
    for (const tr115_agent& a : r.agents)
        for (const tr115_request& q : a.requests) {
            ttft.push_back(q.ttft_ms);
            rates.push_back(q.tokens_per_second);
        }
    const std::vector<double> tokens = values_of(r, &tr115_request::tokens), shares = agent_rates(r);
    if (std::ranges::any_of(shares, [](double rate) { return rate > 0; }))
        out.add(metric::jain_index, statistics::jain_index(shares));
    if (!tokens.empty() && tokens.size() == ttft.size())
        out.add(metric::throughput, std::accumulate(tokens.begin(), tokens.end(), 0.0) / r.wall_ms * 1e3);
    add_requests(out, metric::ttft, provenance::measured, ttft);
    add_requests(out, metric::tokens_per_second, provenance::derived, rates);
    add_requests(out, metric::tokens, provenance::measured, tokens);
    constexpr std::pair<metric, std::optional<double> tr115_request::*> durations[] = {
        {metric::e2e, &tr115_request::total_ms},
        {metric::server_total, &tr115_request::server_total_ms},
        {metric::server_load, &tr115_request::load_ms},
        {metric::server_prompt_eval, &tr115_request::prompt_eval_ms},
        {metric::server_eval, &tr115_request::eval_ms}};
    for (const auto& [m, member] : durations) add_requests(out, m, provenance::measured, values_of(r, member));
}

/// Two agents whose durations add up to the wall time ran one after the other. The files do not say what kept them
/// apart.
std::optional<serialization_verdict> serialization_of(const tr115_record& r) {
    const auto shortest = extreme(r, false);
    if (!shortest || *shortest <= 0) return std::nullopt;
    constexpr double serialized_below_pct = 5;
    serialization_verdict out;
    out.overlap_pct = std::clamp((r.durations_ms - r.wall_ms) / *shortest, 0.0, 1.0) * 100;
    if (*out.overlap_pct >= serialized_below_pct) return out;
    out.verdict = concurrency::serialized;
    out.cause = serialization_cause::unknown;
    out.evidence =
        fmt::format("the wall time is {:.1f} ms and the agents' durations add up to {:.1f} ms: one ran after "
                    "the other; the files do not say why",
                    r.wall_ms, r.durations_ms);
    return out;
}

std::int64_t ns(double milliseconds) { return std::llround(milliseconds * 1e6); }

/// When each agent began, in ns since the first did; nothing where a file does not say when an agent ended.
std::vector<std::optional<std::int64_t>> starts_of(const tr115_record& r) {
    const auto first = began_ns(r);
    std::vector<std::optional<std::int64_t>> out;
    for (const tr115_agent& a : r.agents)
        out.push_back(first ? std::optional(*a.ended_ns - ns(*a.duration_ms) - *first) : std::nullopt);
    return out;
}

/// "2025-11-14T09:30:00Z".
std::string utc(std::int64_t ns_since_1970) {
    const std::time_t seconds = ns_since_1970 / 1'000'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> out{};
    std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out.data();
}

/// Nothing where the files do not tell the machine, or when it was: a summary.json of several runs has neither.
std::optional<campaign_provenance> origin_of(const tr115_record& r) {
    const auto began = began_ns(r);
    if (!r.system || !began) return std::nullopt;
    campaign_provenance out;
    out.begun = utc(*began);
    out.machine.host_name = r.system->host_name;
    out.machine.os = r.system->os;
    if (r.system->rust_version) out.build.compiler = "rustc " + *r.system->rust_version;
    for (const tr115_agent& a : r.agents) {
        if (a.url.empty()) continue;
        auto server = std::ranges::find(out.servers, a.url, &server_identity::url);
        if (server == out.servers.end())
            server = out.servers.insert(out.servers.end(), {.url = a.url, .software = {}, .version = {}, .models = {}});
        if (!a.model.empty() &&
            std::ranges::find(server->models, a.model, &model_identity::name) == server->models.end())
            server->models.push_back({.name = a.model, .digest = {}, .parameter_size = {}, .quantization = {}});
    }
    return out;
}

agent_result agent_of(const tr115_agent& a, std::optional<std::int64_t> start) {
    agent_result out;
    out.id = a.id;
    if (!a.model.empty()) out.model = a.model;
    out.start_ns = start;
    out.duration_ms = a.duration_ms;
    if (start) {
        out.end_ns = *start + ns(*a.duration_ms);
        out.requests = a.requests.size();
    }
    return out;
}

std::optional<std::int64_t> in_ns(std::optional<double> milliseconds) {
    return milliseconds ? std::optional(ns(*milliseconds)) : std::nullopt;
}

/// The durations that the server sent; nothing where it sent none.
std::optional<server_result> server_of(const tr115_request& q) {
    if (!q.load_ms && !q.prompt_eval_ms && !q.eval_ms && !q.server_total_ms) return std::nullopt;
    server_result out;
    out.total_ns = in_ns(q.server_total_ms);
    out.load_ns = in_ns(q.load_ms);
    out.prompt_eval_ns = in_ns(q.prompt_eval_ms);
    out.eval_ns = in_ns(q.eval_ms);
    return out;
}

std::string call_name(int number) { return fmt::format("call_{}", number); }

} // namespace

run_result converted_run(const tr115_run& run, const tr115_record& r, const std::string& config) {
    run_result out;
    out.source = "tr115";
    out.profile = run.runtime;
    out.config = config;
    out.run = run.number;
    out.origin = origin_of(r);
    add_values(out, r);
    out.serialization = serialization_of(r);
    out.recorded = recorded_claims{run.file.lexically_relative(run.tree).string(), r.efficiency_percent, r.contention};
    out.concurrent.wall_ms = r.wall_ms;
    if (const auto began = began_ns(r)) out.concurrent.cost.emplace().begun = utc(*began);
    const auto starts = starts_of(r);
    for (std::size_t i = 0; i < r.agents.size(); ++i) out.concurrent.agents.push_back(agent_of(r.agents[i], starts[i]));
    return out;
}

std::vector<request_result> converted_requests(const tr115_record& r) {
    std::vector<request_result> out;
    const auto starts = starts_of(r);
    for (std::size_t i = 0; i < r.agents.size(); ++i) {
        if (!starts[i]) continue;
        std::int64_t begin = *starts[i];
        int call = 0;
        for (const tr115_request& q : r.agents[i].requests) {
            request_result request;
            request.execution = "together";
            request.agent = r.agents[i].id;
            request.call = call_name(call++);
            request.dispatched_ns = begin;
            request.first_token_ns = begin + ns(q.ttft_ms);
            request.done_ns = begin + ns(*q.total_ms);
            request.tokens = q.tokens;
            request.server = server_of(q);
            begin = *request.done_ns;
            out.push_back(std::move(request));
        }
    }
    return out;
}

std::vector<text_result> converted_texts(const tr115_record& r) {
    std::vector<text_result> out;
    for (const tr115_agent& a : r.agents)
        if (!a.prompt.empty() || !a.response.empty())
            out.push_back({"together", a.id, call_name(0), a.prompt, a.response, {}});
    return out;
}

} // namespace chimera::host
