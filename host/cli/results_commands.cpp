#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "protocol/excerpt.hpp"
#include "publish/publish.hpp"
#include "questions/read.hpp"
#include "result/whole_file.hpp"
#include "study/analysis.hpp"
#include "study/study_comparison.hpp"
#include "tr115/import.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

namespace chimera::host {

namespace {

struct renderer {
    const char* format;
    std::string (*render)(const study_report&);
};

constexpr renderer renderers[] = {
    {"md", to_markdown},
    {"html", [](const study_report& report) { return to_html(to_json(report), report_page()); }},
    {"csv", to_csv},
    {"json", [](const study_report& report) { return json_text(to_json(report)); }},
    {"vllm", [](const study_report& report) { return json_text(to_vllm(report)); }},
};

bool is_results_file(const std::filesystem::path& name) {
    for (const char* known : {"cells.jsonl", "metrics.json", "profile.toml", "requests.jsonl", "running.json",
                              "summary.json", "sweep.json", "texts.jsonl"})
        if (name == known) return true;
    return false;
}

} // namespace

std::vector<std::string> report_formats() {
    std::vector<std::string> out;
    for (const renderer& r : renderers) out.emplace_back(r.format);
    return out;
}

exit_status report_command(const report_arguments& arguments) {
    std::error_code ignored;
    if (is_results_file(arguments.output.filename()) && std::filesystem::exists(arguments.output, ignored))
        throw results_error(fmt::format("--output {}: this is the name of a results file; choose another one",
                                        arguments.output.string()));
    study s = load_study(arguments.results);
    if (!arguments.only.empty()) s = part_of(std::move(s), arguments.only);
    for (const auto& file : arguments.claims) s.questions.push_back(read_questions(find_questions(file)));
    read_requests(s);
    const renderer* chosen = std::ranges::find(renderers, arguments.format, &renderer::format);
    const std::string text = chosen->render(report_of(s, "chimera-host " CHIMERA_VERSION));
    if (arguments.output.empty())
        print_result(text);
    else
        write_to(arguments.output, text);
    const std::vector<std::string> damage = damage_of(s);
    for (const std::string& d : damage) spdlog::error("{}", d);
    return damage.empty() ? exit_status::success : exit_status::bad_input;
}

// ---- compare

namespace {

std::string p_of(const char* test, std::optional<double> p) {
    return p ? fmt::format("{} p {:.3g}", test, *p) : fmt::format("{} none", test);
}

std::string side(const std::string& name, double mean, double sd, std::size_t n) {
    const std::string label = on_one_line(name);
    return n > 1 ? fmt::format("{} {} (sd {}, n {})", label, rounded(mean), rounded(sd), n)
                 : fmt::format("{} {} (n 1)", label, rounded(mean));
}

std::string text_of(const study_pair& p) {
    const auto welch = p.welch ? std::optional(p.welch->p) : std::nullopt;
    const auto rank = p.mann_whitney ? std::optional(p.mann_whitney->p) : std::nullopt;
    std::string out = fmt::format("  {}{}\n", on_one_line(p.metric), p.unit.empty() ? "" : ", " + on_one_line(p.unit));
    out +=
        fmt::format("    {}   {}   change {}\n", side(p.a, p.mean_a, p.sd_a, p.n_a), side(p.b, p.mean_b, p.sd_b, p.n_b),
                    p.change_pct ? fmt::format("{:+.2f} %", *p.change_pct) : "from 0");
    out += fmt::format("    {}   {}   Holm p {:.3g}   ", p_of("Welch", welch), p_of("U test", rank), p.p_holm);
    out += p.cohens_d ? fmt::format("d {:.3g}   g {:.3g}\n", *p.cohens_d, *p.hedges_g) : "d none   g none\n";
    return out + fmt::format("    {}{}\n", on_one_line(p.words), p.worse ? "; worse" : "");
}

std::string runs_of(const run_counts& r) {
    return fmt::format("{} {} ok, {} failed{}", r.ok, r.ok == 1 ? "run" : "runs", r.failed,
                       r.damaged > 0 ? fmt::format(", {} damaged or lost", r.damaged) : "");
}

/// The first metric by configuration, a column for each study.
std::string evolution_text(const study_group& g) {
    if (g.evolution.empty() || g.comparisons.empty()) return "";
    std::size_t widest = 0;
    for (const evolution_row& row : g.evolution) widest = std::max(widest, row.config.size());
    std::string out = fmt::format("  {} by configuration: mean (sd, n), the results in their order\n",
                                  on_one_line(g.comparisons.front().metric));
    for (const evolution_row& row : g.evolution) {
        out += fmt::format("    {:<{}}", on_one_line(row.config), widest);
        for (const evolution_cell& c : row.cells)
            out +=
                c.mean ? fmt::format("   {} ({}, {})", rounded(*c.mean), c.sd ? rounded(*c.sd) : "-", c.n) : "   none";
        out += '\n';
    }
    return out;
}

std::string text_of(const study_comparison& c) {
    std::string out;
    for (const compared_study& s : c.studies) {
        const std::string path = s.path.string();
        out += fmt::format("{}{}{}, {}\n", out.empty() ? "baseline " : "", on_one_line(s.label),
                           s.label == path ? "" : ": " + on_one_line(path), runs_of(s.runs));
    }
    for (const study_group& g : c.groups) {
        out += '\n';
        if (g.runtime) { // otherwise the group is all runs, which the lines above have counted
            out += fmt::format("runtime {}\n", on_one_line(*g.runtime));
            for (std::size_t i = 0; i < g.runs.size(); ++i)
                out += fmt::format("  {}: {}\n", on_one_line(c.studies[i].label), runs_of(g.runs[i]));
        }
        for (const study_pair& p : g.comparisons) out += text_of(p);
        out += evolution_text(g);
    }
    return out;
}

std::string within(const study_group& g) { return g.runtime ? *g.runtime + ", " : ""; }

/// One sentence for each regression against the first study: a worse metric, or a higher share of failed runs.
std::vector<std::string> regressions(const study_comparison& c, double by_more_than_pct) {
    std::vector<std::string> out;
    for (const study_group& g : c.groups)
        for (std::size_t i = 1; i < g.runs.size(); ++i)
            if (g.runs[i].failed_share() > g.runs[0].failed_share())
                out.push_back(fmt::format("{}more runs of {} failed than of {} ({}; {})", within(g), c.studies[i].label,
                                          c.studies[0].label, runs_of(g.runs[i]), runs_of(g.runs[0])));
    for (const study_group& g : c.groups)
        for (const study_pair& p : g.comparisons)
            if (p.a == c.studies[0].label && regressed(p, by_more_than_pct))
                out.push_back(
                    fmt::format("{}{}: {} is worse than {} by {}, more than {:g} %", within(g), p.metric, p.b, p.a,
                                p.change_pct ? fmt::format("{:.2f} %", std::abs(*p.change_pct)) : "more than nothing",
                                by_more_than_pct));
    return out;
}

} // namespace

exit_status compare_command(const compare_arguments& arguments) {
    std::vector<study> studies;
    std::vector<std::string> faults;
    for (const auto& path : arguments.results) {
        try {
            studies.push_back(load_study(path));
        } catch (const results_error& e) {
            faults.push_back(e.what());
        }
    }
    if (!faults.empty()) throw results_error(faults);
    std::vector<std::vector<std::string>> same;
    for (const std::string& text : arguments.same) {
        auto& names = same.emplace_back();
        std::istringstream parts(text);
        for (std::string name; std::getline(parts, name, '=');) names.push_back(name);
    }
    // Where no agent ran alone, the efficiency is recovered from the agents' requests.
    for (study& s : studies)
        if (headline_of(s) == name_of(metric::estimated_efficiency)) read_requests(s);
    const study_comparison compared = compare_studies(studies, arguments.metrics, same);
    const std::vector<std::string> worse = arguments.fail_on_regression
                                               ? regressions(compared, *arguments.fail_on_regression)
                                               : std::vector<std::string>();
    if (arguments.json) {
        json j = to_json(compared);
        j["regressions"] = worse;
        print_result(json_text(j));
    } else {
        print_result(text_of(compared));
    }
    for (const std::string& w : compared.warnings) spdlog::warn("{}", w);
    if (arguments.fail_on_regression)
        for (const study_group& g : compared.groups)
            for (const std::string& n : g.not_judged) spdlog::warn("not judged: {}{}", within(g), n);
    for (const std::string& d : compared.damage) spdlog::error("{}", d);
    for (const std::string& w : worse) spdlog::error("{}", w);
    if (!worse.empty()) return exit_status::regression;
    return compared.damage.empty() ? exit_status::success : exit_status::bad_input;
}

// ---- import

namespace {

std::vector<named_runtime> named_runtimes(const std::vector<std::string>& texts) {
    std::vector<named_runtime> out;
    std::vector<std::string> faults;
    for (const std::string& text : texts) {
        const std::size_t at = text.rfind('=');
        if (at == std::string::npos || at == 0 || at + 1 == text.size())
            faults.push_back(fmt::format("--runtime {}: give a folder and the runtime's name (example: "
                                         "runtime-smol=smol)",
                                         text));
        else
            out.push_back({text.substr(0, at), text.substr(at + 1)});
    }
    if (!faults.empty()) throw results_error(faults);
    return out;
}

} // namespace

exit_status import_tr115_command(const import_arguments& arguments) {
    const auto& output_dir = arguments.output_dir;
    const import_outcome outcome = import_tr115(arguments.trees, output_dir, named_runtimes(arguments.runtimes));
    for (const std::string& w : outcome.warnings) spdlog::warn("{}", w);
    print_result(fmt::format("imported to {}: runs {}, runtimes {}, configurations {}\nchimera-host report {}\n",
                             on_one_line(output_dir.string()), outcome.runs, outcome.runtimes, outcome.configs,
                             shell_word(output_dir.string())));
    return exit_status::success;
}

} // namespace chimera::host
