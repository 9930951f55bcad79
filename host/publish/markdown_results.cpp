#include "publish/markdown_results.hpp"

#include "publish/markdown_sweep.hpp"
#include "publish/markdown_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

std::string part(std::string_view title, std::string_view said, const markdown_table& table) {
    if (table.empty()) return "";
    return fmt::format("### {}\n\n{}{}{}", title, said, said.empty() ? "" : "\n\n", table.text());
}

std::string provenance(const json& report, const std::string& metric) {
    const json& metrics = report["metrics"];
    return metrics.contains(metric) ? metrics[metric]["provenance"].get<std::string>() : "not measured";
}

std::string unit_of(const json& report, const std::string& metric) {
    const json& metrics = report["metrics"];
    return metrics.contains(metric) ? metrics[metric]["unit"].get<std::string>() : "";
}

/// "efficiency_pct, % (derived)"
std::string heading(const json& report, const std::string& metric) {
    return fmt::format("{}, {} ({})", metric, unit_of(report, metric), provenance(report, metric));
}

std::string headline_table(const json& report) {
    const std::string metric = report["headline"];
    markdown_table t({"runtime", "n", "mean %", "sd", "sd of configuration means", "CV %", "median %", "min %",
                      "peak %", "95 % CI", "outliers"});
    for (const json& r : report["runtimes"]) {
        std::string outliers;
        for (const json& o : r["outliers"])
            outliers += fmt::format("{}{} run {}: {}", outliers.empty() ? "" : "; ", o["config"].get<std::string>(),
                                    o["run"].get<int>(), figure(o["value"], "%"));
        t.add({r["name"], figure(r["n"]), figure(r["mean_pct"], "%"), figure(r["sd_pct"], "%"),
               figure(r["sd_of_config_means_pct"], "%"), figure(r["cv_pct"], "%"), figure(r["median_pct"], "%"),
               figure(r["min_pct"], "%"), figure(r["peak_pct"], "%"), interval_figure(r["ci95_pct"], "%"),
               outliers.empty() ? "none" : outliers});
    }
    const std::string said =
        fmt::format("{}: {}.", heading(report, metric), report["metrics"][metric]["definition"].get<std::string>());
    return part("Efficiency by runtime", said, t);
}

std::string bound_table(const json& report) {
    markdown_table t({"runtime", heading(report, "efficiency_pct"), heading(report, "estimated_efficiency_pct"),
                      heading(report, "imbalance_bound_pct"), heading(report, "remainder_pct")});
    for (const json& r : report["runtimes"]) {
        const json& values = r["values"];
        const json efficiency = values.contains("efficiency_pct") ? values["efficiency_pct"]["mean"] : json();
        t.add({r["name"], figure(efficiency, "%"), figure(r["estimated_mean_pct"], "%"),
               figure(r["imbalance_bound_mean_pct"], "%"), figure(r["remainder_mean_pct"], "%")});
    }
    return part("What imbalance allows",
                "The bound is the most that agents of these lengths can reach; the remainder is what "
                "lies between it and the estimate. Means over the runs.",
                t);
}

/// A column that is left out where no runtime's transport shares connections.
constexpr const char* only_of_shared = "inflation_head_of_line_pct";

/// What the columns of the loss are called, and which metric each is: totals, each followed by its parts.
constexpr std::pair<const char*, const char*> losses[] = {
    {"late start", "late_start_pct"},
    {"permit", "late_permit_pct"},
    {"blocked worker", "late_blocked_pct"},
    {"spawn", "late_spawn_pct"},
    {"imbalance", "imbalance_pct"},
    {"inflation", "inflation_pct"},
    {"scheduling", "inflation_scheduling_pct"},
    {"blocked poll", "inflation_blocked_pct"},
    {"transport", "inflation_transport_pct"},
    {"head of line", only_of_shared},
    {"parsing", "inflation_parsing_pct"},
    {"work", "inflation_work_pct"},
    {"server", "inflation_server_pct"},
};

std::string loss_table(const json& report) {
    std::vector<std::string> head{"runtime"};
    const bool shared =
        std::ranges::any_of(report["runtimes"], [](const json& r) { return r["values"].contains(only_of_shared); });
    const auto left_out = [shared](const char* metric) { return !shared && metric == only_of_shared; };
    for (const auto& [name, metric] : losses)
        if (!left_out(metric)) head.push_back(fmt::format("{} ({})", name, provenance(report, metric)));
    markdown_table t(head);
    for (const json& r : report["runtimes"]) {
        std::vector<std::string> cells{r["name"]};
        for (const auto& [name, metric] : losses) {
            const json& values = r["values"];
            if (left_out(metric)) continue;
            cells.push_back(figure(values.contains(metric) ? values[metric]["mean"] : json(), "%"));
        }
        t.add(std::move(cells));
    }
    return part("Where agent-time was lost",
                "In percent of the agent-time N W, means over the runs. Late start is permit, blocked worker and spawn "
                "together; "
                "inflation is scheduling, blocked poll, transport, head of line (where connections are shared), "
                "parsing, work and server together.",
                t);
}

std::string config_table(const json& report) {
    markdown_table t({"configuration", "runtime", "n", "mean %", "sd", "95 % CI", "min %", "median %", "peak %"});
    for (const json& c : report["configs"]) {
        if (c["n"] == 0) continue;
        t.add({c["config"], c["runtime"], figure(c["n"]), figure(c["mean_pct"], "%"), figure(c["sd_pct"], "%"),
               interval_figure(c["ci95_pct"], "%"), figure(c["min_pct"], "%"), figure(c["median_pct"], "%"),
               figure(c["peak_pct"], "%")});
    }
    return part("Efficiency by configuration", heading(report, report["headline"]), t);
}

std::string client_table(const json& report) {
    markdown_table t({"metric", "runtime", "n", "mean", "sd", "95 % CI", "median", "min", "max"});
    for (const char* metric : {"throughput_tok_s", "tokens_per_second_mean", "ttft_ms_p50", "ttft_ms_p95", "itl_ms_p50",
                               "itl_ms_p99", "e2e_ms_p50", "client_overhead_pct_mean", "busiest_worker_pct",
                               "dispatch_delay_us_p99", "delivery_delay_us_p99", "inflation_ratio", "jain_index"}) {
        if (provenance(report, metric) == "not measured") continue;
        const std::string unit = unit_of(report, metric);
        for (const json& r : report["runtimes"]) {
            const json& values = r["values"];
            if (!values.contains(metric)) continue;
            const json& v = values[metric];
            t.add({heading(report, metric), r["name"], figure(v["n"]), figure(v["mean"], unit), figure(v["sd"], unit),
                   interval_figure(v["ci95"], unit), figure(v["median"], unit), figure(v["min"], unit),
                   figure(v["max"], unit)});
        }
    }
    return part("Requests and client", "One value a run; mean, sd and the others are over the runs.", t);
}

std::string verdict_table(const json& report) {
    markdown_table t(
        {"runtime", "serialized runs", "cause", "evidence", "client-limited runs", "arrival-limited runs"});
    for (const json& r : report["runtimes"]) {
        const bool judged = !r["serialized_runs"].is_null();
        const auto said = [&](const char* key) {
            return r[key].is_null() ? judged ? "none" : "not measured" : r[key].get<std::string>();
        };
        t.add({r["name"], figure(r["serialized_runs"]), said("cause"), said("evidence"),
               figure(r["client_limited_runs"]), figure(r["arrival_limited_runs"])});
    }
    return part(
        "Verdicts",
        "Serialized: the agents ran one after the other. Client-limited: the client could have changed the "
        "result. Arrival-limited: most records came together with others, so ITL, TPOT and rates of arrivals say "
        "nothing of the server.",
        t);
}

std::string comparison_tables(const json& report) {
    std::string out;
    std::vector<std::string> metrics;
    for (const json& c : report["comparisons"])
        if (std::ranges::find(metrics, c["metric"].get<std::string>()) == metrics.end()) metrics.push_back(c["metric"]);
    const auto p_of = [](const json& test) { return test.is_null() ? std::string("none") : figure(test["p"]); };
    for (const std::string& metric : metrics) {
        const std::string unit = unit_of(report, metric);
        markdown_table t({"A", "B", "n", "mean A", "mean B", "A - B", "95 % CI", "Welch p", "U test p", "Hedges' g",
                          "p after Holm", "verdict"});
        for (const json& c : report["comparisons"]) {
            if (c["metric"] != metric) continue;
            std::string verdict = c["verdict"];
            std::ranges::replace(verdict, '_', ' ');
            t.add({c["a"], c["b"], fmt::format("{}, {}", c["n_a"].get<int>(), c["n_b"].get<int>()),
                   figure(c["mean_a"], unit), figure(c["mean_b"], unit), figure(c["difference"], unit),
                   c["ci95"].is_null() ? "none" : interval_figure(c["ci95"], unit), p_of(c["welch"]),
                   p_of(c["mann_whitney"]), c["hedges_g"].is_null() ? "none" : figure(c["hedges_g"]),
                   figure(c["p_holm"]), verdict});
        }
        out += part("Runtimes compared: " + metric, heading(report, metric), t);
    }
    return out;
}

} // namespace

std::string results_markdown(const json& report) {
    if (report["runtimes"].empty()) return failures_markdown(report);
    return headline_table(report) + bound_table(report) + loss_table(report) + verdict_table(report) +
           config_table(report) + client_table(report) + comparison_tables(report) + sweep_markdown(report) +
           failures_markdown(report);
}

} // namespace chimera::host
