#include "publish/markdown_sweep.hpp"

#include "publish/markdown_table.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

std::string fit(const json& f, const char* text, std::initializer_list<const char*> figures) {
    if (f.is_null()) return "";
    std::string out = fmt::format("{}: ", text);
    for (const char* name : figures) out += fmt::format("{} {}, ", name, figure(f[name]));
    return out + fmt::format("R² {}. ", figure(f["r2"]));
}

std::string scaling(const json& report) {
    std::string out;
    for (const json& s : report["scaling"]) {
        const std::string series = s["series"];
        out +=
            fmt::format("### Scaling: {}{}\n\n", s["runtime"].get<std::string>(), series.empty() ? "" : ", " + series);
        markdown_table t({"agents", "runs", "throughput, tok/s (derived)", "95 % CI",
                          fmt::format("{}, mean %", report["headline"].get<std::string>()), "Jain's index (derived)"});
        for (const json& p : s["points"])
            t.add({figure(p["n"]), figure(p["runs"]), figure(p["throughput_mean"]),
                   interval_figure(p["throughput_ci95"]), figure(p["efficiency_mean_pct"], "%"), figure(p["jain"])});
        out += t.text();
        const std::string fits = fit(s["amdahl"], "Amdahl", {"serial_fraction"}) +
                                 fit(s["usl"], "Universal Scalability Law", {"contention", "coherency"});
        const bool peaks = !s["usl"].is_null() && !s["usl"]["peak_n"].is_null();
        out += fmt::format("{}{}{}\n\n", fits.empty() ? "Too few levels for a fit. " : fits,
                           peaks ? fmt::format("Peak at {} agents. ", figure(s["usl"]["peak_n"])) : "",
                           s["saturation_n"].is_null()
                               ? "Saturation was not reached."
                               : fmt::format("Saturated from {} agents.", figure(s["saturation_n"])));
    }
    return out;
}

std::string parameters(const json& report) {
    markdown_table t({"parameter", "metric", "mean by level (sd, n)", "range %", "eta²"});
    for (const json& p : report["parameters"]) {
        const std::string metric = p["metric"];
        const std::string unit = report["metrics"][metric]["unit"];
        std::string levels;
        for (const json& l : p["levels"])
            levels += fmt::format("{}{}: {} ({}, {})", levels.empty() ? "" : "; ",
                                  l["value"].is_string() ? l["value"].get<std::string>() : l["value"].dump(),
                                  figure(l["mean"], unit), figure(l["sd"], unit), figure(l["n"]));
        t.add({p["parameter"], metric, levels, figure(p["range_pct"], "%"), figure(p["eta_squared"])});
    }
    if (t.empty()) return "";
    return "### Sensitivity to parameters\n\nRange: largest minus smallest mean of a level, in percent of the mean. "
           "Eta²: the "
           "share of the scatter that the parameter explains; by chance alone it is about (levels - 1) / (n - 1). Runs "
           "whose "
           "runtime serialized its agents are left out.\n\n" +
           t.text();
}

std::string improvement(const json& report) {
    const json& i = report["improvement"];
    if (i.is_null()) return "";
    markdown_table t({"configuration", "n", "mean", "CV %", "improvement %"});
    for (const json& c : i["by_config"])
        t.add({c["config"], figure(c["n"]), figure(c["mean"]), figure(c["cv_pct"], "%"),
               c["config"] == i["baseline"] ? "baseline" : figure(c["improvement_pct"], "%")});
    return fmt::format(
        "### Improvement over {}\n\n{}: {} % of the configurations are better; mean improvement {} %, peak {} "
        "%.\n\n{}",
        i["baseline"].get<std::string>(), i["metric"].get<std::string>(), figure(i["success_rate_pct"], "%"),
        figure(i["mean_pct"], "%"), figure(i["peak_pct"], "%"), t.text());
}

} // namespace

std::string sweep_markdown(const json& report) { return scaling(report) + parameters(report) + improvement(report); }

std::string failures_markdown(const json& report) {
    markdown_table t({"runtime", "configuration", "run", "status", "message"});
    for (const json& f : report["cells"]["failures"])
        t.add({f["runtime"], f["config"], figure(f["run"]), f["status"], f["message"]});
    return t.empty() ? "" : "### Runs that are in no figure\n\n" + t.text();
}

} // namespace chimera::host
