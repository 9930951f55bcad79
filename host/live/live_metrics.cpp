#include "live/live_metrics.hpp"

#include "live/page_server.hpp"
#include "protocol/excerpt.hpp"
#include "result/metric_table.hpp"
#include "result/request_times.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include <unistd.h>

namespace chimera::host {
namespace {

using bounds = prometheus::Histogram::BucketBoundaries;

// Seconds. Each step is a factor of 2 to 2.5, from well below what is good to well above what is bad.
const bounds ttft_bounds{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};
const bounds itl_bounds{.0005, .001, .0025, .005, .01, .02, .04, .08, .16, .32, .64, 1.28, 2.56};
const bounds e2e_bounds{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320};
const bounds delay_bounds{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, 1};

double seconds(nanoseconds_t ns) { return static_cast<double>(ns) / 1e9; }

/// The values of one request, sorted into buckets before they go to a histogram, which has a lock.
class sorted_values {
  public:
    explicit sorted_values(const bounds& b) : bounds_(b), counts_(b.size() + 1) {}

    void add(double value, double times = 1) {
        const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
        counts_[static_cast<std::size_t>(bucket)] += times;
        sum_ += value * times;
    }
    void give_to(prometheus::Histogram& h) const { h.ObserveMultiple(counts_, sum_); }

  private:
    const bounds& bounds_;
    std::vector<double> counts_;
    double sum_ = 0;
};

/// Bytes, as the kernel counts pages that are in memory (proc(5), statm); 0 if it does not say.
double resident_memory_bytes() {
    std::ifstream statm("/proc/self/statm");
    double size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Read only when somebody scrapes.
class process_figures final : public prometheus::Collectable {
  public:
    explicit process_figures(const execution_control& control) : control_(control) {}

    std::vector<prometheus::MetricFamily> Collect() const override {
        prometheus::ClientMetric tokens, memory;
        tokens.counter.value = static_cast<double>(control_.tokens());
        memory.gauge.value = resident_memory_bytes();
        return {{"chimera_tokens_total",
                 "Records with content received, in all executions",
                 prometheus::MetricType::Counter,
                 {tokens}},
                {"process_resident_memory_bytes",
                 "Memory that this process occupies",
                 prometheus::MetricType::Gauge,
                 {memory}}};
    }

  private:
    const execution_control& control_;
};

} // namespace

struct live_metrics::series {
    using counter_family = prometheus::Family<prometheus::Counter>;
    using histogram_family = prometheus::Family<prometheus::Histogram>;

    /// The requests of one kind of execution.
    struct of_execution {
        prometheus::Counter &ok, &failed, &no_response, &http_status, &broken_response;
        prometheus::Histogram &ttft, &itl, &e2e, &delivery_delay;
    };

    series(const profile& p, const execution_control& control, const std::string& on, int asked) : process(control) {
        gauge("chimera_build_info", "The program", {{"version", CHIMERA_VERSION}}).Set(1);
        gauge("chimera_profile_info", "What is run",
              {{"profile", p.name},
               {"config", config_name(p)},
               {"config_hash", config_hash(p)},
               {"executor", on_one_line(p.executor.plugin)}, // a path may hold any character
               {"foreign", p.foreign ? on_one_line(p.foreign->plugin) : ""},
               {"transport", on_one_line(p.transport.plugin)}})
            .Set(1);
        gauge("chimera_agents", "Agents of the profile").Set(static_cast<double>(p.workload.agents.size()));
        gauge("chimera_runs_planned", "Measured runs of the profile").Set(p.measure.runs);
        server.emplace(page_place{"--metrics-port", on, asked},
                       std::vector<served_page>{{"/metrics", metrics_type, [this] { return page(); }}});
    }

    /// [any-thread]
    std::string page() const {
        std::vector<prometheus::MetricFamily> all = registry.Collect();
        for (prometheus::MetricFamily& family : process.Collect()) all.push_back(std::move(family));
        return prometheus::TextSerializer().Serialize(all);
    }

    prometheus::Gauge& gauge(const char* name, const char* help, const prometheus::Labels& labels = {}) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
    }
    counter_family& counters(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    histogram_family& histograms(const char* name, metric of) {
        return prometheus::BuildHistogram().Name(name).Help(std::string(row_of(of).definition)).Register(registry);
    }
    of_execution execution(const char* kind) const {
        return {requests.Add({{"execution", kind}, {"status", "ok"}}),
                requests.Add({{"execution", kind}, {"status", "failed"}}),
                errors.Add({{"execution", kind}, {"kind", "no_response"}}),
                errors.Add({{"execution", kind}, {"kind", "http_status"}}),
                errors.Add({{"execution", kind}, {"kind", "broken_response"}}),
                ttft.Add({{"execution", kind}}, ttft_bounds),
                itl.Add({{"execution", kind}}, itl_bounds),
                e2e.Add({{"execution", kind}}, e2e_bounds),
                delivery_delay.Add({{"execution", kind}}, delay_bounds)};
    }

    prometheus::Registry registry;
    process_figures process;
    counter_family& runs = counters("chimera_runs_total", "Measured runs that have ended");
    counter_family& requests = counters("chimera_requests_total", "Requests that have ended");
    counter_family& errors = counters("chimera_request_errors_total", "Requests that failed, by how far they got");
    histogram_family& ttft = histograms("chimera_ttft_seconds", metric::ttft);
    histogram_family& itl = histograms("chimera_itl_seconds", metric::itl);
    histogram_family& e2e = histograms("chimera_e2e_seconds", metric::e2e);
    histogram_family& delivery_delay = histograms("chimera_delivery_delay_seconds", metric::delivery_delay);
    prometheus::Gauge& at_work = gauge("chimera_agents_at_work", "Agents that hold a permit");
    prometheus::Counter& complete = runs.Add({{"status", "complete"}});
    prometheus::Counter& failed = runs.Add({{"status", "failed"}});
    of_execution warm_up = execution("warm_up"), alone = execution("alone"), together = execution("together");
    of_execution* now = &together;     // written between executions
    std::optional<page_server> server; // goes first: what it serves outlives it
};

live_metrics::live_metrics(const profile& p, const execution_control& control, const std::string& address, int port)
    : series_(std::make_unique<series>(p, control, address, port)) {}

live_metrics::~live_metrics() = default;

const std::string& live_metrics::url() const noexcept { return series_->server->url(); }

void live_metrics::begins(const planned_execution& x) {
    series& s = *series_;
    s.now = x.run == 0 ? &s.warm_up : x.concurrent ? &s.together : &s.alone;
    s.at_work.Set(0); // an agent that is stopped does not end
}

void live_metrics::run_done(const run_record& run) {
    if (run.number > 0) (run.complete() ? series_->complete : series_->failed).Increment();
}

void live_metrics::agent_starts() noexcept { series_->at_work.Increment(); }
void live_metrics::agent_ends() noexcept { series_->at_work.Decrement(); }

void live_metrics::request_ends(const agent_record& a, const request_record& r) noexcept {
    series::of_execution& to = *series_->now;
    if (!r.ok()) {
        to.failed.Increment();
        (r.status == 0 ? to.no_response : r.status / 100 == 2 ? to.broken_response : to.http_status).Increment();
        return;
    }
    to.ok.Increment();
    to.e2e.Observe(e2e_ms(r.dispatched, r.done) / 1e3);
    if (const auto ttft = ttft_ms(r.dispatched, r.first_token)) to.ttft.Observe(*ttft / 1e3);
    sorted_values gaps(itl_bounds), delays(delay_bounds);
    for_each_gap(a.pieces_of(r),
                 [&gaps](nanoseconds_t gap, std::size_t times) { gaps.add(seconds(gap), static_cast<double>(times)); });
    for (const chunk_event& c : a.pieces_of(r)) delays.add(seconds(c.delivery_delay()));
    gaps.give_to(to.itl);
    delays.give_to(to.delivery_delay);
}

} // namespace chimera::host
