#include "cli/compare_command.hpp"

#include "cli/standard_output.hpp"
#include "protocol/excerpt.hpp"
#include "publish/json_text.hpp"
#include "study/load.hpp"
#include "study/study_comparison.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace chimera::host {
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

/// One sentence for each regression against the first study: a metric, or a higher share of runs that failed.
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

} // namespace chimera::host
