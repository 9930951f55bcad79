#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "protocol/excerpt.hpp"
#include "publish/csv.hpp"
#include "publish/html.hpp"
#include "publish/json_text.hpp"
#include "publish/markdown.hpp"
#include "publish/vllm.hpp"
#include "report/whole_file.hpp"
#include "study/import_tr115.hpp"
#include "study/load.hpp"
#include "study/part.hpp"
#include "study/report_document.hpp"
#include "study/run_file.hpp"
#include "study/study_comparison.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;

struct renderer {
    const char* format;
    std::string (*render)(const json& report);
};

constexpr renderer renderers[] = {
    {"md", to_markdown},
    {"html", [](const json& report) { return to_html(report); }},
    {"csv", to_csv},
    {"json", json_text},
    {"vllm", [](const json& report) { return json_text(to_vllm(report)); }},
};

bool is_results_file(const std::filesystem::path& name) {
    for (const char* known :
         {"cells.jsonl", "metrics.json", "profile.toml", "requests.jsonl", "summary.json", "sweep.json"})
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
        throw study_error(fmt::format("--output {}: this is the name of a results file; choose another one",
                                      arguments.output.string()));
    study s = load_study(arguments.results);
    if (!arguments.only.empty()) s = part_of(std::move(s), arguments.only);
    read_requests(s);
    const renderer* chosen = std::ranges::find(renderers, arguments.format, &renderer::format);
    const std::string text = chosen->render(report_document(s, "chimera-host " CHIMERA_VERSION));
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

std::string side(const std::string& name, const statistics::description& d) {
    const std::string label = on_one_line(name);
    return d.n > 1 ? fmt::format("{} {} (sd {}, n {})", label, rounded(d.mean), rounded(d.sd), d.n)
                   : fmt::format("{} {} (n 1)", label, rounded(d.mean));
}

std::string text_of(const study_pair& p) {
    const metric_comparison& c = p.figures;
    const statistics::comparison& f = c.figures;
    const auto welch = f.welch ? std::optional(f.welch->p) : std::nullopt;
    const auto rank = f.mann_whitney ? std::optional(f.mann_whitney->p) : std::nullopt;
    std::string out = fmt::format("  {}{}\n", on_one_line(c.metric), c.unit.empty() ? "" : ", " + on_one_line(c.unit));
    out += fmt::format("    {}   {}   change {}\n", side(c.a, f.a), side(c.b, f.b),
                       p.change_pct ? fmt::format("{:+.2f} %", *p.change_pct) : "from 0");
    out += fmt::format("    {}   {}   Holm p {:.3g}   ", p_of("Welch", welch), p_of("U test", rank), f.p_holm);
    out += f.cohens_d ? fmt::format("d {:.3g}   g {:.3g}\n", *f.cohens_d, *f.hedges_g) : "d none   g none\n";
    return out + fmt::format("    {}{}\n", on_one_line(words_of(c)), p.worse ? "; worse" : "");
}

std::string runs_of(const run_counts& r) {
    return fmt::format("{} runs ok, {} failed{}", r.ok, r.failed,
                       r.damaged > 0 ? fmt::format(", {} damaged or lost", r.damaged) : "");
}

std::string text_of(const study_comparison& c, const std::vector<study>& studies) {
    std::string out;
    for (std::size_t i = 0; i < studies.size(); ++i)
        out += fmt::format("{}{}: {}, {}\n", i == 0 ? "compared with " : "", on_one_line(c.labels[i]),
                           on_one_line(studies[i].path.string()), runs_of(count_runs(studies[i])));
    for (const study_group& g : c.groups) {
        out += fmt::format("\n{}\n", g.runtime.empty() ? "runs" : "runtime " + on_one_line(g.runtime));
        for (std::size_t i = 0; i < g.runs.size(); ++i)
            out += fmt::format("  {}: {}\n", on_one_line(c.labels[i]), runs_of(g.runs[i]));
        for (const study_pair& p : g.pairs) out += text_of(p);
    }
    return out;
}

std::string within(const study_group& g) { return g.runtime.empty() ? "" : g.runtime + ", "; }

/// One sentence for each regression against the first study: a worse metric, or a higher share of failed runs.
std::vector<std::string> regressions(const study_comparison& c, double by_more_than_pct) {
    std::vector<std::string> out;
    for (const study_group& g : c.groups)
        for (std::size_t i = 1; i < g.runs.size(); ++i)
            if (g.runs[i].failed_share() > g.runs[0].failed_share())
                out.push_back(fmt::format("{}more runs of {} failed than of {} ({}; {})", within(g), c.labels[i],
                                          c.labels[0], runs_of(g.runs[i]), runs_of(g.runs[0])));
    for (const study_group& g : c.groups)
        for (const study_pair& p : g.pairs)
            if (p.figures.a == c.labels[0] && regressed(p, by_more_than_pct))
                out.push_back(fmt::format(
                    "{}{}: {} is worse than {} by {}, more than {:g} %", within(g), p.figures.metric, p.figures.b,
                    p.figures.a, p.change_pct ? fmt::format("{:.2f} %", std::abs(*p.change_pct)) : "more than nothing",
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
        } catch (const study_error& e) {
            faults.push_back(e.what());
        }
    }
    if (!faults.empty()) throw study_error(faults);
    const study_comparison compared = compare_studies(studies, arguments.metrics);
    const std::vector<std::string> worse = arguments.fail_on_regression
                                               ? regressions(compared, *arguments.fail_on_regression)
                                               : std::vector<std::string>();
    if (arguments.json) {
        nlohmann::ordered_json j = to_json(compared, studies);
        j["regressions"] = worse;
        print_result(json_text(j));
    } else {
        print_result(text_of(compared, studies));
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

exit_status import_tr115_command(const std::filesystem::path& tree, const std::filesystem::path& output_dir) {
    const import_outcome outcome = import_tr115(tree, output_dir);
    for (const std::string& w : outcome.warnings) spdlog::warn("{}", w);
    print_result(fmt::format("imported to {}: runs {}, runtimes {}, configurations {}\nchimera-host report {}\n",
                             on_one_line(output_dir.string()), outcome.runs, outcome.runtimes, outcome.configs,
                             shell_word(output_dir.string())));
    return exit_status::success;
}

} // namespace chimera::host
