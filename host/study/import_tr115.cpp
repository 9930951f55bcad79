#include "study/import_tr115.hpp"

#include "report/seal.hpp"
#include "report/whole_file.hpp"
#include "statistics/description.hpp"
#include "statistics/scaling.hpp"
#include "study/load.hpp"
#include "study/metric_catalogue.hpp"
#include "study/run_file.hpp"
#include "study/tr115_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

/// Values of a run, each with its definition.
class run_values {
  public:
    void add(const std::string& name, const char* provenance, double value) {
        values[name] = value;
        const metric_definition d = catalogued(name, provenance);
        definitions[name] = {{"unit", d.unit}, {"definition", d.text}, {"provenance", d.provenance}};
    }
    /// Mean and quantiles over the requests; nothing where none was recorded.
    void add_requests(const std::string& name, const char* provenance, const std::vector<double>& sample) {
        if (sample.empty()) return;
        const statistics::description d = statistics::describe(sample);
        add(name + "_mean", provenance, d.mean);
        add(name + "_p50", provenance, d.p50);
        add(name + "_p95", provenance, d.p95);
        add(name + "_p99", provenance, d.p99);
    }

    json values = json::object(), definitions = json::object();
};

std::optional<double> extreme(const tr115_record& r, bool longest) {
    const auto [least, most] = std::ranges::minmax_element(r.agents, {}, &tr115_agent::duration_ms);
    return least->duration_ms ? (longest ? most : least)->duration_ms : std::nullopt;
}

void add_durations(run_values& out, const tr115_record& r) {
    const auto longest = extreme(r, true);
    if (!longest) return;
    const double n = static_cast<double>(r.agents.size()), agent_time = n * r.wall_ms;
    const double bound = r.durations_ms / (n * *longest) * 100;
    out.add("imbalance_bound_pct", "derived", bound);
    out.add("remainder_pct", "derived", bound - estimated_efficiency_pct(r));
    out.add("late_start_pct", "derived", (r.wall_ms - *longest) / r.wall_ms * 100);
    out.add("imbalance_pct", "derived", (n * *longest - r.durations_ms) / agent_time * 100);
}

run_values values_of(const tr115_record& r) {
    run_values out;
    out.add("estimated_efficiency_pct", "estimated", estimated_efficiency_pct(r));
    out.add("wall_ms", "measured", r.wall_ms);
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
    out.add("jain_index", "derived", statistics::jain_index(agent_rates));
    if (!tokens.empty() && tokens.size() == ttft.size())
        out.add("throughput_tok_s", "derived", std::accumulate(tokens.begin(), tokens.end(), 0.0) / r.wall_ms * 1e3);
    out.add_requests("ttft_ms", "measured", ttft);
    out.add_requests("e2e_ms", "measured", e2e);
    out.add_requests("tokens_per_second", "derived", rates);
    out.add_requests("tokens", "measured", tokens);
    return out;
}

/// Two agents whose durations add up to the wall time ran one after the other. The files do not say what kept them
/// apart.
json serialization_of(const tr115_record& r) {
    const auto shortest = extreme(r, false);
    if (!shortest || *shortest <= 0) return nullptr;
    constexpr double serialized_below_pct = 5;
    const double overlap_pct = std::clamp((r.durations_ms - r.wall_ms) / *shortest, 0.0, 1.0) * 100;
    const bool serialized = overlap_pct < serialized_below_pct;
    const std::string evidence =
        fmt::format("the wall time is {:.1f} ms and the agents' durations add up to {:.1f} ms: one "
                    "ran after the other; the files do not say why",
                    r.wall_ms, r.durations_ms);
    return {{"verdict", serialized ? "serialized" : "parallel"},
            {"cause", serialized ? "unknown" : "none"},
            {"overlap_pct", overlap_pct},
            {"evidence", serialized ? evidence : ""}};
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

json run_json(const tr115_run& run, const tr115_record& r, const fs::path& tree) {
    run_values values = values_of(r);
    json j{{"schema_version", readable_run_version},
           {"source", "tr115"},
           {"profile", run.runtime},
           {"config", run.config},
           {"run", run.number},
           {"complete", true},
           {"values", std::move(values.values)},
           {"definitions", std::move(values.definitions)},
           {"serialization", serialization_of(r)},
           {"self_check", nullptr}};
    j["recorded"] = {{"file", run.file.lexically_relative(tree).string()},
                     {"efficiency_percent", r.efficiency_percent}};
    if (r.contention) j["recorded"]["resource_contention_detected"] = *r.contention;
    j["concurrent"] = {{"wall_ms", r.wall_ms}, {"agents", json::array()}};
    const auto starts = starts_of(r);
    for (std::size_t i = 0; i < r.agents.size(); ++i) {
        const tr115_agent& a = r.agents[i];
        const auto end = starts[i] ? json(*starts[i] + ns(*a.duration_ms)) : json(nullptr);
        j["concurrent"]["agents"].push_back({{"id", a.id},
                                             {"model", a.model},
                                             {"start_ns", starts[i] ? json(*starts[i]) : json(nullptr)},
                                             {"end_ns", end}});
    }
    return j;
}

/// An agent's requests follow one another without a pause, as total_duration_ms adds up to execution_time_s.
std::string request_lines(const tr115_record& r) {
    std::string out;
    const auto starts = starts_of(r);
    for (std::size_t i = 0; i < r.agents.size(); ++i) {
        if (!starts[i]) continue;
        std::int64_t begin = *starts[i];
        int call = 0;
        for (const tr115_request& q : r.agents[i].requests) {
            const std::int64_t done = begin + ns(*q.total_ms);
            out += sealed_line({{"execution", "together"},
                                {"agent", r.agents[i].id},
                                {"call", fmt::format("call_{}", call++)},
                                {"error", nullptr},
                                {"dispatched_ns", begin},
                                {"first_token_ns", begin + ns(q.ttft_ms)},
                                {"done_ns", done},
                                {"tokens", *q.tokens}});
            begin = done;
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

json sweep_json(const std::vector<imported_run>& runs, const fs::path& tree) {
    fs::path named = fs::canonical(tree);
    if (named.filename() == "results") named = named.parent_path();
    json j{{"schema_version", readable_sweep_version},
           {"kind", "sweep"},
           {"source", "tr115"},
           {"name", named.filename().string()},
           {"description", fmt::format("{} runs of the original reports' programs, imported", runs.size())},
           {"question", "How efficient are two concurrent agents on each client runtime?"},
           {"seed", nullptr}};
    std::map<std::string, json> configs;
    std::vector<std::string> runtimes;
    int most = 0;
    for (const auto& [run, record] : runs) {
        configs.try_emplace(run.config, parameters_of(record));
        if (runtimes.empty() || runtimes.back() != run.runtime) runtimes.push_back(run.runtime);
        most = std::max(most, run.number);
    }
    j["runs"] = most;
    for (const std::string& r : runtimes) j["runtimes"].push_back({{"name", r}});
    for (const auto& [name, parameters] : configs) j["configs"].push_back({{"name", name}, {"parameters", parameters}});
    j["cells_planned"] = runs.size();
    return j;
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
        throw study_error(fmt::format("{}: the output folder and the original tree {} may not lie in each other; name "
                                      "another folder with --output-dir",
                                      out.string(), tree.string()));
}

/// Whether a metrics.json was written by an earlier, broken off import of the same file.
bool is_of_import(const fs::path& metrics, const tr115_run& run, const fs::path& tree) {
    try {
        const json document = read_results_json(metrics);
        const results_object recorded = results_object(document, metrics.string()).object("recorded");
        return recorded.text("file") == run.file.lexically_relative(tree).string();
    } catch (const study_error&) {
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
    if (!faults.empty()) throw study_error(faults);
}

std::string cell_line(const imported_run& r, const std::string& folder, const std::string& metrics_crc32) {
    return sealed_line({{"runtime", r.run.runtime},
                        {"config", r.run.config},
                        {"run", r.run.number},
                        {"config_hash", nullptr},
                        {"status", "ok"},
                        {"message", ""},
                        {"exit_status", 0},
                        {"wall_s", r.record.wall_ms / 1e3},
                        {"metrics_crc32", metrics_crc32},
                        {"folder", folder}});
}

void write(const std::vector<imported_run>& runs, const fs::path& tree, const fs::path& out) {
    std::string cells;
    for (const imported_run& r : runs) {
        const std::string folder = folder_of(r.run), requests = request_lines(r.record);
        make_folders(out / folder);
        write_whole(out / folder / "requests.jsonl", requests);
        checksum of_requests;
        of_requests.add(requests);
        json metrics = run_json(r.run, r.record, tree);
        metrics["requests_file"] = file_record("requests.jsonl", of_requests);
        const std::string text = sealed_document(metrics);
        write_whole(out / folder / "metrics.json", text);
        cells += cell_line(r, folder, check_seal(text, seal_form::document).seal);
    }
    write_whole(out / "cells.jsonl", cells);
    write_whole(out / "sweep.json", sealed_document(sweep_json(runs, tree)));
}

} // namespace

import_outcome import_tr115(const fs::path& tree, const fs::path& out) {
    check_apart(tree, out);
    if (fs::exists(out / "sweep.json"))
        throw study_error(out.string() + ": holds a sweep already; name another folder with --output-dir");
    const tr115_tree found = find_tr115_runs(tree);
    import_outcome outcome;
    std::vector<imported_run> runs;
    std::vector<std::string> faults;
    for (const tr115_run& run : found.runs) {
        try {
            runs.push_back({run, read_tr115_run(run)});
        } catch (const study_error& e) {
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
    if (!faults.empty()) throw study_error(faults);
    check_nothing_is_overwritten(runs, tree, out);
    outcome.warnings.insert(outcome.warnings.end(), found.left_out.begin(), found.left_out.end());
    write(runs, tree, out);
    const json sweep = sweep_json(runs, tree);
    outcome.runs = runs.size();
    outcome.runtimes = sweep["runtimes"].size();
    outcome.configs = sweep["configs"].size();
    return outcome;
}

} // namespace chimera::host
