// A sweep folder made by hand, as the host writes it.
#pragma once

#include "result/sealed_file.hpp"
#include "temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace chimera::test {

/// A run of two agents: alone they take alone_ms, together the time times `slower`.
struct sample_pair {
    double collector_ms = 100, insight_ms = 100;
    double slower = 1;
    bool serialized = false;
    bool with_baseline = true;
};

/// The values of such a run: those of its metrics.json.
inline nlohmann::ordered_json sample_values(const sample_pair& p) {
    const double c1 = p.collector_ms * p.slower, c2 = p.insight_ms * p.slower, longest = std::max(c1, c2);
    const double wall = p.serialized ? c1 + c2 : longest, agent_time = 2 * wall;
    nlohmann::ordered_json v{{"estimated_efficiency_pct", (c1 + c2) / agent_time * 100},
                             {"imbalance_bound_pct", (c1 + c2) / (2 * longest) * 100},
                             {"remainder_pct", (c1 + c2) / (2 * longest) * 100 - (c1 + c2) / agent_time * 100},
                             {"wall_ms", wall},
                             {"late_start_pct", (wall - longest) / wall * 100},
                             {"imbalance_pct", (2 * longest - c1 - c2) / agent_time * 100},
                             {"ttft_ms_p50", 10 * p.slower},
                             {"throughput_tok_s", 200 / wall * 1e3},
                             {"jain_index", 1}};
    if (!p.with_baseline) return v;
    v["efficiency_pct"] = (p.collector_ms + p.insight_ms) / agent_time * 100;
    v["inflation_pct"] = (c1 + c2 - p.collector_ms - p.insight_ms) / agent_time * 100;
    v["inflation_server_pct"] = v["inflation_pct"];
    v["inflation_ratio"] = p.slower;
    return v;
}

/// `provenance` of a run: of this executor on this CPU, asking one server of this version.
inline nlohmann::ordered_json sample_provenance(const std::string& executor = "fiber",
                                                const std::string& cpu = "AMD EPYC 7B13",
                                                const std::string& server_version = "0.5.1") {
    using json = nlohmann::ordered_json;
    const auto plugin = [](const std::string& id, const std::string& hash) {
        return json{{"id", id}, {"version", "0.1.0"}, {"file", "/lib/" + id + ".so"}, {"sha256", hash}};
    };
    return {{"begun", "2025-11-14T09:30:00Z"},
            {"machine",
             {{"host_name", "build7"},
              {"cpu_model", cpu},
              {"usable_cpus", 16},
              {"governor", "performance"},
              {"memory_bytes", 67'318'591'488},
              {"kernel", "6.1.0-18-amd64"},
              {"libc", "glibc 2.36"},
              {"hypervisor", "KVM"},
              {"container", nullptr}}},
            {"build",
             {{"version", "0.1.0"}, {"commit", "1f3c9a0b7d2e"}, {"compiler", "GCC 12.2.0"}, {"build_type", "Release"}}},
            {"plugins", {plugin(executor, std::string(64, 'a')), plugin("socket", std::string(64, 'b'))}},
            {"servers",
             {{{"url", "http://127.0.0.1:11434"},
               {"software", "Ollama"},
               {"version", server_version},
               {"models",
                {{{"name", "gemma3"},
                  {"digest", "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a"},
                  {"parameter_size", "4.3B"},
                  {"quantization", "Q4_K_M"}}}}}}}};
}

/// metrics.json of a run with these values. Two agents, collector and insight.
inline nlohmann::ordered_json sample_metrics(const nlohmann::ordered_json& values) {
    using json = nlohmann::ordered_json;
    json j{{"schema_version", 2},
           {"source", "chimera"},
           {"profile", "sample"},
           {"config", "plain"},
           {"executor", "fiber"},
           {"transport", "socket"},
           {"seed", 1},
           {"run", 1},
           {"complete", true},
           {"values", values},
           {"definitions", json::object()}};
    for (const auto& [name, value] : values.items())
        j["definitions"][name] = {{"unit", name.ends_with("_pct")  ? "%"
                                           : name.ends_with("_ms") ? "ms"
                                                                   : "1"},
                                  {"definition", "what " + name + " is"},
                                  {"provenance", name.starts_with("estimated") ? "estimated" : "measured"}};
    j["serialization"] = {{"verdict", "parallel"}, {"cause", "none"}, {"overlap_pct", 95.0}, {"evidence", ""}};
    j["self_check"] = {{"client_limited", json::array()}, {"evidence", json::array()}};
    j["concurrent"] = {{"wall_ms", 100}, {"agents", json::array()}};
    for (const char* id : {"collector", "insight"})
        j["concurrent"]["agents"].push_back(
            {{"id", id}, {"start_ns", 1'000'000}, {"end_ns", 90'000'000}, {"requests", 1}});
    return j;
}

/// requests.jsonl: one request of each agent, 10 ms to the first token, then three more records, the last two at once.
inline std::string sample_requests() {
    using json = nlohmann::ordered_json;
    std::string out;
    for (const char* execution : {"alone", "together"})
        for (const char* agent : {"collector", "insight"})
            out += json{{"execution", execution},
                        {"agent", agent},
                        {"call", "analysis"},
                        {"error", nullptr},
                        {"dispatched_ns", 2'000'000},
                        {"first_token_ns", 12'000'000},
                        {"last_token_ns", 22'000'000},
                        {"done_ns", 23'000'000},
                        {"tokens", 4},
                        {"server", {{"prompt_tokens", 7}}},
                        {"pieces",
                         {{12'000'000, 1, 1, 1, 1, 0}, {16'000'000, 1, 1, 1, 1, 0}, {22'000'000, 1, 1, 1, 2, 0}}}}
                       .dump() +
                   "\n";
    return out;
}

class sample_sweep {
  public:
    using json = nlohmann::ordered_json;

    /// configs: names and parameters. The runtimes are all on fiber + socket.
    sample_sweep(const temporary_folder& folder, std::string place, std::vector<std::string> runtimes,
                 std::vector<std::pair<std::string, json>> configs)
        : folder_(folder), place_(std::move(place)) {
        sweep_ = {{"schema_version", 1},       {"kind", "sweep"},          {"source", "chimera"}, {"name", "sample"},
                  {"description", ""},         {"question", ""},           {"seed", 7},           {"runs", 1},
                  {"runtimes", json::array()}, {"configs", json::array()}, {"cells_planned", 0}};
        for (const std::string& r : runtimes)
            sweep_["runtimes"].push_back(
                {{"name", r}, {"executor", "fiber"}, {"transport", "socket"}, {"foreign", nullptr}});
        for (const auto& [name, parameters] : configs)
            sweep_["configs"].push_back({{"name", name}, {"parameters", parameters}});
    }

    void add(const std::string& runtime, const std::string& config, int run, const json& metrics) {
        const std::string folder = runtime + "/" + config + "/run_" + std::to_string(run);
        folder_.write(place_ / folder / "metrics.json", metrics.dump(2));
        folder_.write(place_ / folder / "requests.jsonl", sample_requests());
        add_cell(runtime, config, run, "ok", "", folder);
    }
    void add(const std::string& runtime, const std::string& config, int run, const sample_pair& pair) {
        json metrics = sample_metrics(sample_values(pair));
        if (pair.serialized)
            metrics["serialization"] = {{"verdict", "serialized"},
                                        {"cause", "blocked-executor"},
                                        {"overlap_pct", 0.0},
                                        {"evidence", "a poll held the worker for 100 ms"}};
        add(runtime, config, run, metrics);
    }
    void add_cell(const std::string& runtime, const std::string& config, int run, const char* status,
                  const char* message, const std::string& folder) {
        cells_ +=
            json{{"runtime", runtime}, {"config", config}, {"run", run},    {"config_hash", "0"}, {"status", status},
                 {"message", message}, {"exit_status", 0}, {"wall_s", 1.0}, {"folder", folder}}
                .dump() +
            "\n";
        sweep_["cells_planned"] = sweep_["cells_planned"].get<int>() + 1;
    }

    /// Adds checksums to the files and to the lines of cells(), as the host writes them. Call it once, before write();
    /// without it the sweep is one of a host before checksums.
    void seal() {
        std::string cells;
        std::istringstream lines(cells_);
        for (std::string text; std::getline(lines, text);) {
            json line = json::parse(text);
            const std::filesystem::path folder = place_ / line["folder"].get<std::string>();
            const std::filesystem::path file = folder_ / folder / "metrics.json";
            if (std::ifstream in(file, std::ios::binary); in) {
                json metrics = json::parse(in);
                metrics["run"] = line["run"];
                metrics["runtime"] = line["runtime"]; // no two are alike
                host::checksum of_requests;
                std::string requests;
                std::istringstream unsealed(sample_requests());
                for (std::string r; std::getline(unsealed, r);) requests += host::sealed_line(json::parse(r));
                of_requests.add(requests);
                folder_.write(folder / "requests.jsonl", requests);
                metrics["requests_file"] = {
                    {"name", "requests.jsonl"}, {"crc32", of_requests.text()}, {"bytes", of_requests.bytes()}};
                const std::string sealed = host::sealed_document(metrics);
                folder_.write(folder / "metrics.json", sealed);
                line["metrics_crc32"] = host::check_seal(sealed, host::seal_form::document).seal;
            }
            cells += host::sealed_line(line);
        }
        cells_ = cells;
        sealed_ = true;
    }

    json& sweep() { return sweep_; }
    std::string& cells() { return cells_; }

    /// Writes sweep.json and cells.jsonl; returns the folder.
    std::filesystem::path write() const {
        folder_.write(place_ / "sweep.json", sealed_ ? host::sealed_document(sweep_) : sweep_.dump(2));
        folder_.write(place_ / "cells.jsonl", cells_);
        return folder_ / place_;
    }

  private:
    const temporary_folder& folder_;
    std::filesystem::path place_;
    json sweep_;
    std::string cells_;
    bool sealed_ = false;
};

} // namespace chimera::test
