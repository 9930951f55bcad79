#include "report/warnings.hpp"

#include "backend/server_pool.hpp"
#include "measure/run_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace chimera::host {
namespace {

double load_ms(const execution_record& x) {
    double sum = 0;
    for (const agent_record& a : x.agents)
        for (const request_record& r : a.requests)
            if (!r.evidence.durations_contradicted) sum += static_cast<double>(r.server.load_ns.value_or(0)) / 1e6;
    return sum;
}

/// A model that was loaded for the agents alone and not for all together, or the other way round, is in the efficiency.
std::optional<std::string> of_loading(const run_record& run) {
    double alone = 0, alone_ms = 0;
    for (const execution_record& x : run.baseline) {
        alone += load_ms(x);
        alone_ms += static_cast<double>(x.wall()) / 1e6;
    }
    const double together = load_ms(run.concurrent);
    constexpr double worth_saying = 0.01;
    if (run.baseline.empty() || std::abs(alone - together) < worth_saying * alone_ms) return std::nullopt;
    return fmt::format("run {}: the servers spent {:.0f} ms loading models for the agents alone and {:.0f} ms for all "
                       "together; the difference is in the efficiency (measure.warmup keeps it out)",
                       run.number, alone, together);
}

/// Arrivals that the servers, or the client, could not keep up with.
std::optional<std::string> of_overload(const profile& p, const run_record& run) {
    if (p.workload.arrivals == arrival_kind::closed) return std::nullopt;
    std::size_t calls = 0, waited = 0;
    nanoseconds_t longest = 0;
    for (const agent_record& a : run.concurrent.agents)
        for (std::size_t i = 0; i < a.requests.size(); ++i) {
            ++calls;
            if (i == 0 || a.requests[i - 1].over() <= a.requests[i].intended) continue;
            ++waited;
            longest = std::max(longest, a.requests[i - 1].over() - a.requests[i].intended);
        }
    constexpr double worth_saying = 0.01;
    if (static_cast<double>(waited) <= worth_saying * static_cast<double>(calls)) return std::nullopt;
    return fmt::format("run {}: {} of {} calls were due while their agent's call before was under way, the longest for "
                       "{:.0f} ms: {} agents cannot keep up with {:g} calls/s of this length (intended_e2e_ms counts "
                       "the wait, e2e_ms does not)",
                       run.number, waited, calls, static_cast<double>(longest) / 1e6, p.workload.agents.size(),
                       p.workload.rate_per_s);
}

/// A simulator says in each reply how fast it decoded; what is missing of the profile's rate it had no time to send.
std::optional<std::string> of_slow_simulator(const profile& p, const run_record& run) {
    constexpr double fast_enough = 0.98;
    std::vector<double> shares;
    const std::vector<std::optional<double>> rates = undisturbed_rates(p);
    for (std::size_t i = 0; i < run.concurrent.agents.size(); ++i)
        if (const std::optional<double> rate = rates[i])
            for (const request_record& r : run.concurrent.agents[i].requests)
                if (const auto measured = r.server_rate(); r.ok() && measured) shares.push_back(*measured / *rate);
    if (shares.empty()) return std::nullopt;
    const auto middle = shares.begin() + static_cast<std::ptrdiff_t>(shares.size() / 2);
    std::ranges::nth_element(shares, middle);
    if (*middle >= fast_enough) return std::nullopt;
    return fmt::format(
        "run {}: the simulator sent only {:.0f} % of the tokens/s that the profile says: it is the limit, "
        "not the client (fewer agents, a lower rate, or more backend.simulator.instances)",
        run.number, *middle * 100);
}

bool is_local(std::string_view url) {
    for (const char* local : {"http+unix:", "http://127.", "http://localhost", "http://[::1]", "https://localhost"})
        if (url.starts_with(local)) return true;
    return url.empty(); // a simulator
}

/// Other clients take a proxy from the environment. A measurement takes it only from its profile.
std::optional<std::string> of_unused_proxy(const profile& p) {
    const auto option = std::ranges::find(p.transport.options, "proxy", &option_value::key);
    if (option == p.transport.options.end() || !option->value.empty() ||
        std::ranges::all_of(p.workload.agents, [](const agent_spec& a) { return is_local(a.url); }))
        return std::nullopt;
    for (const char* variable : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
        if (const char* value = std::getenv(variable); value != nullptr && *value != '\0')
            return fmt::format("{} is set and not used (transport.options.proxy = \"env\" uses it)", variable);
    return std::nullopt;
}

} // namespace

std::vector<std::string> warnings_of(const profile& p, const std::vector<run_record>& runs) {
    std::vector<std::string> out;
    for (const counted_remark& r : remarks_of(runs))
        out.push_back(fmt::format("{} of {} replies: {}{}", r.replies, r.of, r.what,
                                  r.detail.empty() ? "" : fmt::format(" ({})", r.detail)));
    if (const auto warning = of_unused_proxy(p)) out.push_back(*warning);
    for (const run_record& run : runs)
        for (auto& warning : {of_loading(run), of_overload(p, run), of_slow_simulator(p, run)})
            if (warning) out.push_back(*warning);
    return out;
}

} // namespace chimera::host
