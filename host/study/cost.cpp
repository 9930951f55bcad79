#include "study/cost.hpp"

#include "statistics/two_samples.hpp"
#include "study/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

constexpr double million = 1e6, seconds_per_hour = 3600;

std::string money(double value, const std::string& currency) {
    return std::abs(value) >= 100 ? fmt::format("{}{:.0f}", currency, value) : fmt::format("{}{:.4g}", currency, value);
}

class calculator {
  public:
    calculator(const study& s, const cost_spec& c) : s_(s), c_(c) {
        out_.currency = c.currency;
        out_.efficiency = headline_of(s);
        const bool known = std::ranges::find(s.runtimes, c.baseline, &planned_runtime::name) != s.runtimes.end();
        out_.baseline = known ? c.baseline : s.runtimes.front().name;
    }

    cost_report run() {
        for (const planned_runtime& r : s_.runtimes) out_.runtimes.push_back(begun(r.name));
        const auto base = std::ranges::find(out_.runtimes, out_.baseline, &runtime_cost::runtime);
        if (!c_.baseline.empty() && c_.baseline != out_.baseline)
            base->note =
                fmt::format("It stands in for the baseline \"{}\", which the study does not have.", c_.baseline);
        for (runtime_cost& r : out_.runtimes) add_month(r, *base);
        for (runtime_cost& r : out_.runtimes) {
            add_saving(r, *base);
            add_point(r);
        }
        test_savings();
        add_formulas();
        return std::move(out_);
    }

  private:
    bool has_hourly() const { return c_.server_per_hour || c_.client_per_hour; }
    double per_hour() const {
        return c_.server_per_hour.value_or(0) * static_cast<double>(c_.servers) +
               c_.client_per_hour.value_or(0) * static_cast<double>(c_.clients);
    }
    /// Of a million tokens at this rate.
    double price_at(double tokens_per_s) const {
        const double hourly = has_hourly() ? per_hour() / (tokens_per_s * seconds_per_hour) * million : 0;
        return hourly + c_.per_million_tokens.value_or(0);
    }

    runtime_cost begun(const std::string& runtime) const {
        runtime_cost out;
        out.runtime = runtime;
        const auto d = statistics::describe(values_of(s_, runtime, name_of(metric::throughput)));
        if (d.n > 0 && d.mean > 0) out.throughput = d.mean;
        if (!has_hourly() && !c_.per_million_tokens) return out;
        if (has_hourly() && !out.throughput) return out;
        out.per_million_tokens = price_at(out.throughput.value_or(1));
        if (has_hourly() && d.ci95 && d.ci95->low > 0)
            out.per_million_ci95 = statistics::interval{price_at(d.ci95->high), price_at(d.ci95->low)};
        return out;
    }

    /// The bill of a month: of the load at its price, or what is paid today, scaled by the speed.
    void add_month(runtime_cost& r, const runtime_cost& base) const {
        if (r.per_million_tokens && c_.tokens_per_month)
            r.per_month = *r.per_million_tokens * *c_.tokens_per_month / million;
        else if (c_.monthly_bill && r.throughput && base.throughput)
            r.per_month = *c_.monthly_bill * *base.throughput / *r.throughput;
        else if (c_.monthly_bill && r.runtime == base.runtime)
            r.per_month = c_.monthly_bill;
    }

    void add_saving(runtime_cost& r, const runtime_cost& base) const {
        if (r.runtime == base.runtime || !r.per_month || !base.per_month) return;
        r.saved_per_month = *base.per_month - *r.per_month;
        if (!c_.development) return;
        if (*r.saved_per_month > 0)
            r.break_even_months = *c_.development / *r.saved_per_month;
        else
            r.note = "It saves nothing, so the development is never paid back.";
    }

    /// The same work at e + 1 % takes e / (e + 1) of the time.
    void add_point(runtime_cost& r) const {
        const auto efficiency = statistics::describe(values_of(s_, r.runtime, out_.efficiency));
        if (r.per_month && efficiency.n > 0 && efficiency.mean > 0)
            r.point_per_month = *r.per_month / (efficiency.mean + 1);
    }

    /// A saving by a difference of speed that may be chance is said to be that.
    void test_savings() {
        std::vector<runtime_cost*> compared;
        std::vector<std::pair<std::vector<double>, std::vector<double>>> samples;
        const std::string& throughput = name_of(metric::throughput);
        for (runtime_cost& r : out_.runtimes)
            if (r.saved_per_month && *r.saved_per_month != 0) {
                compared.push_back(&r);
                samples.emplace_back(values_of(s_, r.runtime, throughput), values_of(s_, out_.baseline, throughput));
            }
        std::vector<std::pair<statistics::sample, statistics::sample>> pairs(samples.begin(), samples.end());
        const auto figures = statistics::compare_pairs(pairs);
        for (std::size_t i = 0; i < compared.size(); ++i) {
            using statistics::verdict;
            if (figures[i].says != verdict::no_detectable_difference && figures[i].says != verdict::too_few_runs)
                continue;
            std::string& note = compared[i]->note;
            note += fmt::format(
                "{}Its throughput does not differ detectably from that of {} (p {:.2g} after Holm), so this "
                "may be chance.",
                note.empty() ? "" : " ", out_.baseline, figures[i].p_holm);
        }
    }

    template <class Member>
    bool any_has(Member member) const {
        return std::ranges::any_of(out_.runtimes, [member](const runtime_cost& r) { return (r.*member).has_value(); });
    }

    void add_formulas() {
        const auto add = [this](const char* figure, std::string formula, std::string inputs) {
            out_.formulas.push_back({figure, std::move(formula), std::move(inputs)});
        };
        if (any_has(&runtime_cost::per_million_tokens)) {
            std::string formula, inputs;
            if (has_hourly()) {
                formula = "price of an hour / (throughput x 3600) x 1,000,000";
                inputs = fmt::format("an hour: {} servers at {} and {} clients at {}", c_.servers,
                                     money(c_.server_per_hour.value_or(0), c_.currency), c_.clients,
                                     money(c_.client_per_hour.value_or(0), c_.currency));
            }
            if (c_.per_million_tokens) {
                formula += formula.empty() ? "price of a hosted model" : " + price of a hosted model";
                inputs += fmt::format("{}a million tokens of a hosted model: {}", inputs.empty() ? "" : "; ",
                                      money(*c_.per_million_tokens, c_.currency));
            }
            add("a million tokens", std::move(formula), std::move(inputs));
        }
        if (any_has(&runtime_cost::per_month)) {
            if (any_has(&runtime_cost::per_million_tokens) && c_.tokens_per_month)
                add("a month", "a million tokens x tokens / 1,000,000",
                    fmt::format("{:g} tokens a month", *c_.tokens_per_month));
            else
                add("a month", fmt::format("bill x throughput of {} / throughput", out_.baseline),
                    fmt::format("bill of {}: {}", out_.baseline, money(*c_.monthly_bill, c_.currency)));
        }
        if (any_has(&runtime_cost::saved_per_month))
            add("saved a month", fmt::format("a month of {} - a month", out_.baseline), "");
        if (any_has(&runtime_cost::break_even_months))
            add("break-even", "development / saved a month",
                fmt::format("development: {}", money(*c_.development, c_.currency)));
        if (any_has(&runtime_cost::point_per_month))
            add("a point of efficiency", "a month x (1 - e / (e + 1))",
                fmt::format("e: the mean {} of the runtime; a point counts only as far as it is throughput",
                            out_.efficiency));
    }

    const study& s_;
    const cost_spec& c_;
    cost_report out_;
};

} // namespace

std::vector<cost_report> costs_of(const study& s) {
    std::vector<cost_report> out;
    for (const question_set& questions : s.questions) {
        if (!questions.cost || s.runtimes.empty()) continue;
        cost_report report = calculator(s, *questions.cost).run();
        if (report.formulas.empty()) continue;
        report.source = questions.source;
        out.push_back(std::move(report));
    }
    return out;
}

} // namespace chimera::host
