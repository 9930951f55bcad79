#include "live_sweep/sweep_metrics.hpp"

#include "live/page_server.hpp"
#include "result/run_folder.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace chimera::host {
namespace {

/// Of the last cell of a runtime and configuration.
const std::array shown_figures{
    figure{metric::efficiency},          figure{metric::estimated_efficiency}, figure{metric::throughput},
    figure{metric::peak_memory},         figure{metric::ttft, statistic::p50}, figure{metric::ttft, statistic::p95},
    figure{metric::itl, statistic::p50}, figure{metric::e2e, statistic::p50},  figure{metric::e2e, statistic::p95},
};

} // namespace

struct sweep_metrics::series {
    using gauges = prometheus::Family<prometheus::Gauge>;
    using counters = prometheus::Family<prometheus::Counter>;

    series(const sweep_definition& sweep, const sweep_settings& settings, const std::string& address, int port)
        : folder(settings.folder), planned(settings.cells.size()) {
        gauge("chimera_build_info", "The program").Add({{"version", CHIMERA_VERSION}}).Set(1);
        gauge("chimera_sweep_info", "What is run").Add({{"sweep", sweep.name}}).Set(1);
        gauge("chimera_sweep_cells_planned", "Cells of this sweep").Add({}).Set(static_cast<double>(planned));
        left.Set(static_cast<double>(planned));
        server.emplace(page_place{"--metrics-port", address, port},
                       std::vector<served_page>{{"/metrics", metrics_type, [this] {
                                                     return prometheus::TextSerializer().Serialize(registry.Collect());
                                                 }}});
    }

    gauges& gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    }
    counters& counter(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }

    void show(const sweep_progress& p) {
        done.Set(static_cast<double>(p.done));
        left.Set(static_cast<double>(p.of - p.done));
        expected.Set(p.expected_s.value_or(-1));
    }

    void show_figures(const cell_result& e) {
        try {
            const run_result run = read_run(folder / folder_of(e)).result;
            for (const figure f : shown_figures)
                if (const auto value = run.value(f))
                    figures.Add({{"runtime", e.runtime}, {"config", e.config}, {"figure", name_of(f)}}).Set(*value);
        } catch (const results_error&) { // a failed cell may have no files
        }
    }

    const std::filesystem::path folder;
    const std::size_t planned;
    prometheus::Registry registry;
    counters& cells = counter("chimera_sweep_cells_total", "Cells that ended since this process began");
    counters& alerts = counter("chimera_sweep_alerts_total", "Cells in which an alert tripped");
    prometheus::Gauge& done = gauge("chimera_sweep_cells_done", "Cells that are done, also of earlier tries").Add({});
    prometheus::Gauge& left = gauge("chimera_sweep_cells_left", "Cells that are left").Add({});
    prometheus::Gauge& expected =
        gauge("chimera_sweep_expected_seconds", "For the cells that are left; -1: not known").Add({});
    prometheus::Gauge& awaited =
        gauge("chimera_sweep_waits_for_server", "1: a server cannot be reached, and the sweep waits for it").Add({});
    gauges& figures = gauge("chimera_cell_figure", "A figure of the last cell of a runtime and configuration");
    gauges& at_work = gauge("chimera_sweep_cell_at_work", "1: this cell is being run");
    std::vector<prometheus::Gauge*> cells_at_work;
    std::optional<page_server> server; // goes first: what it serves outlives it
};

sweep_metrics::sweep_metrics(const sweep_definition& sweep, const sweep_settings& settings, const std::string& address,
                             int port)
    : series_(std::make_unique<series>(sweep, settings, address, port)) {
    series_->expected.Set(-1);
}

sweep_metrics::~sweep_metrics() = default;

const std::string& sweep_metrics::url() const noexcept { return series_->server->url(); }

void sweep_metrics::begun(const sweep_progress& p) { series_->show(p); }

void sweep_metrics::told(const cell_result& e, const sweep_progress& p) {
    series_->cells.Add({{"status", std::string(word_of(e.status))}}).Increment();
    for (const alert_result& a : e.alerts) series_->alerts.Add({{"alert", a.alert}}).Increment();
    series_->show(p);
    if (e.status == cell_status::ok) series_->show_figures(e);
}

void sweep_metrics::changed(const sweep_now& now) {
    for (prometheus::Gauge* g : std::exchange(series_->cells_at_work, {})) series_->at_work.Remove(g);
    for (const cell_at_work& c : now.cells) {
        prometheus::Gauge& g = series_->at_work.Add(
            {{"runtime", c.runtime}, {"config", c.config}, {"run", std::to_string(c.run)}, {"doing", c.doing}});
        g.Set(1);
        series_->cells_at_work.push_back(&g);
    }
    series_->awaited.Set(now.awaited ? 1 : 0);
}

} // namespace chimera::host
