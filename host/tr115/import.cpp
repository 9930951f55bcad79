#include "tr115/import.hpp"

#include "result/run_folder.hpp"
#include "result/sweep_result.hpp"
#include "statistics/description.hpp"
#include "statistics/scaling.hpp"
#include "tr115/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

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

void add_values(run_result& out, const tr115_record& r) {
    out.add(metric::estimated_efficiency, estimated_efficiency_pct(r));
    out.add(metric::wall, r.wall_ms);
    add_durations(out, r);
    std::vector<double> ttft, e2e, rates, tokens, agent_rates;
    for (const tr115_agent& a : r.agents) {
        double of_agent = 0;
        for (const tr115_request& q : a.requests) {
            ttft.push_back(q.ttft_ms);
            rates.push_back(q.tokens_per_second);
            of_agent += q.tokens_per_second / static_cast<double>(a.requests.size());
            if (q.total_ms) e2e.push_back(*q.total_ms);
            if (q.tokens) tokens.push_back(*q.tokens);
        }
        agent_rates.push_back(of_agent);
    }
    out.add(metric::jain_index, statistics::jain_index(agent_rates));
    if (!tokens.empty() && tokens.size() == ttft.size())
        out.add(metric::throughput, std::accumulate(tokens.begin(), tokens.end(), 0.0) / r.wall_ms * 1e3);
    add_requests(out, metric::ttft, provenance::measured, ttft);
    add_requests(out, metric::e2e, provenance::measured, e2e);
    add_requests(out, metric::tokens_per_second, provenance::derived, rates);
    add_requests(out, metric::tokens, provenance::measured, tokens);
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
    std::vector<std::int64_t> starts;
    for (const tr115_agent& a : r.agents)
        if (a.ended_ns && a.duration_ms) starts.push_back(*a.ended_ns - ns(*a.duration_ms));
    if (starts.size() != r.agents.size()) return std::vector<std::optional<std::int64_t>>(r.agents.size());
    const std::int64_t first = *std::ranges::min_element(starts);
    std::vector<std::optional<std::int64_t>> out;
    for (const std::int64_t start : starts) out.emplace_back(start - first);
    return out;
}

run_result result_of(const tr115_run& run, const tr115_record& r, const fs::path& tree) {
    run_result out;
    out.source = "tr115";
    out.profile = run.runtime;
    out.config = run.config;
    out.run = run.number;
    add_values(out, r);
    out.serialization = serialization_of(r);
    out.recorded = recorded_claims{run.file.lexically_relative(tree).string(), r.efficiency_percent, r.contention};
    out.concurrent.wall_ms = r.wall_ms;
    const auto starts = starts_of(r);
    for (std::size_t i = 0; i < r.agents.size(); ++i) {
        agent_result agent;
        agent.id = r.agents[i].id;
        agent.model = r.agents[i].model;
        agent.start_ns = starts[i];
        if (starts[i]) agent.end_ns = *starts[i] + ns(*r.agents[i].duration_ms);
        out.concurrent.agents.push_back(std::move(agent));
    }
    return out;
}

/// An agent's requests follow one another without a pause, as total_duration_ms adds up to execution_time_s.
std::vector<request_result> requests_of(const tr115_record& r) {
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
            request.call = fmt::format("call_{}", call++);
            request.dispatched_ns = begin;
            request.first_token_ns = begin + ns(q.ttft_ms);
            request.done_ns = begin + ns(*q.total_ms);
            request.tokens = q.tokens;
            begin = *request.done_ns;
            out.push_back(std::move(request));
        }
    }
    return out;
}

/// The value of both agents, or "80/100" where they differ; "default" for one that the server chose.
json parameter(const tr115_record& r, const char* name) {
    std::vector<json> values;
    for (const tr115_agent& a : r.agents) {
        const auto found = a.options.find(name);
        if (found == a.options.end())
            values.emplace_back("default");
        else if (found->is_number_float()) // the originals keep single precision: 0.800000011920929
            values.emplace_back(std::round(found->get<double>() * 1e6) / 1e6);
        else
            values.push_back(*found);
    }
    if (values[0] == values[1]) return values[0];
    const auto text = [](const json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
    return fmt::format("{}/{}", text(values[0]), text(values[1]));
}

json parameters_of(const tr115_record& r) {
    json out = json::object();
    for (const char* name : {"num_gpu", "num_ctx", "temperature"}) out[name] = parameter(r, name);
    return out;
}

struct imported_run {
    tr115_run run;
    tr115_record record;
};

sweep_result sweep_of(const std::vector<imported_run>& runs, const fs::path& tree) {
    fs::path named = fs::canonical(tree);
    if (named.filename() == "results") named = named.parent_path();
    sweep_result out;
    out.source = "tr115";
    out.name = named.filename().string();
    out.description = fmt::format("{} runs of the original reports' programs, imported", runs.size());
    out.question = "How efficient are two concurrent agents on each client runtime?";
    std::map<std::string, json> configs;
    int most = 0;
    for (const auto& [run, record] : runs) {
        configs.try_emplace(run.config, parameters_of(record));
        if (out.runtimes.empty() || out.runtimes.back().name != run.runtime)
            out.runtimes.push_back({run.runtime, {}, {}, {}, {}});
        most = std::max(most, run.number);
    }
    out.runs = most;
    for (const auto& [name, parameters] : configs) out.configs.push_back({name, parameters});
    out.cells_planned = static_cast<std::int64_t>(runs.size());
    return out;
}

std::string folder_of(const tr115_run& run) { return fmt::format("{}/{}/run_{}", run.runtime, run.config, run.number); }

/// Results below the originals would be taken for originals, and the other way round.
void check_apart(const fs::path& tree, const fs::path& out) {
    const auto place = [](const fs::path& p) {
        const fs::path whole = fs::weakly_canonical(fs::absolute(p));
        return whole.has_filename() ? whole : whole.parent_path();
    };
    const fs::path from = place(tree), to = place(out);
    const auto [a, b] = std::ranges::mismatch(from, to);
    if (a == from.end() || b == to.end())
        throw results_error(
            fmt::format("{}: the output folder and the original tree {} may not lie in each other; name "
                        "another folder with --output-dir",
                        out.string(), tree.string()));
}

/// Whether a metrics.json was written by an earlier, broken off import of the same file.
bool is_of_import(const fs::path& metrics, const tr115_run& run, const fs::path& tree) {
    try {
        const auto found = read_results<run_result>(metrics);
        return found.recorded && found.recorded->file == run.file.lexically_relative(tree).string();
    } catch (const results_error&) {
        return false;
    }
}

void check_nothing_is_overwritten(const std::vector<imported_run>& runs, const fs::path& tree, const fs::path& out) {
    std::vector<std::string> faults;
    for (const imported_run& r : runs) {
        const fs::path file = out / folder_of(r.run) / "metrics.json";
        if (fs::exists(file) && !is_of_import(file, r.run, tree))
            faults.push_back(file.string() + ": is there already and not of this import; name another folder with "
                                             "--output-dir");
    }
    if (!faults.empty()) throw results_error(faults);
}

void write(const std::vector<imported_run>& runs, const fs::path& tree, const fs::path& out) {
    std::string cells;
    for (const imported_run& r : runs) {
        cell_result cell;
        cell.runtime = r.run.runtime;
        cell.config = r.run.config;
        cell.run = r.run.number;
        cell.exit_status = 0;
        cell.wall_s = r.record.wall_ms / 1e3;
        cell.folder = folder_of(r.run);
        make_folders(out / cell.folder);
        run_folder_writer files(out / cell.folder);
        for (const request_result& q : requests_of(r.record)) files.add(q);
        run_result result = result_of(r.run, r.record, tree);
        cell.metrics_crc32 = files.finish(result);
        append_sealed_line(cells, cell);
    }
    write_whole(out / "cells.jsonl", cells);
    write_whole(out / "sweep.json", sealed_document(sweep_of(runs, tree)));
}

} // namespace

import_outcome import_tr115(const fs::path& tree, const fs::path& out) {
    check_apart(tree, out);
    if (fs::exists(out / "sweep.json"))
        throw results_error(out.string() + ": holds a sweep already; name another folder with --output-dir");
    const tr115_tree found = find_tr115_runs(tree);
    import_outcome outcome;
    std::vector<imported_run> runs;
    std::vector<std::string> faults;
    for (const tr115_run& run : found.runs) {
        try {
            runs.push_back({run, read_tr115_run(run)});
        } catch (const results_error& e) {
            faults.push_back(e.what());
            continue;
        }
        const tr115_record& r = runs.back().record;
        constexpr double agreement_points = 0.01;
        if (std::abs(estimated_efficiency_pct(r) - r.efficiency_percent) > agreement_points)
            outcome.warnings.push_back(
                fmt::format("{}: says efficiency_percent {:.6g}, but the durations in it give {:.6g}",
                            run.file.string(), r.efficiency_percent, estimated_efficiency_pct(r)));
    }
    if (!faults.empty()) throw results_error(faults);
    check_nothing_is_overwritten(runs, tree, out);
    outcome.warnings.insert(outcome.warnings.end(), found.left_out.begin(), found.left_out.end());
    write(runs, tree, out);
    const sweep_result sweep = sweep_of(runs, tree);
    outcome.runs = runs.size();
    outcome.runtimes = sweep.runtimes.size();
    outcome.configs = sweep.configs.size();
    return outcome;
}

} // namespace chimera::host
