#include "run.hpp"

#include <fnmatch.h>
#include <signal.h>

#include <stdexcept>

#include "kit/census.hpp"
#include "kit/child.hpp"
#include "kit/environment.hpp"

namespace chimera::conformance {

namespace {

bool applies(kind k, bool executors, bool transports) {
    switch (k) {
    case kind::plugin:
        return true;
    case kind::transport:
        return transports;
    default:
        return executors;
    }
}

void run_case(const request& r, const test_case& c, const std::function<void(const std::string&)>& report) {
    environment env(r, report);
#ifdef __SANITIZE_THREAD__
    if (env.plugin().entry().flags & CHM_PLUGIN_NO_TSAN) throw skipped("it cannot run under ThreadSanitizer");
#endif
    env.warm_up();
    const census before = census::take();
    c.run(env);
    env.check_nothing_left(before);
}

} // namespace

std::string_view name_of(verdict v) noexcept {
    switch (v) {
    case verdict::passed:
        return "passed";
    case verdict::failed:
        return "failed";
    case verdict::skipped:
        return "skipped";
    case verdict::crashed:
        return "crashed";
    case verdict::hung:
        return "hung";
    }
    return "unknown";
}

counts run(const request& r, const std::function<void(const result&)>& report) {
    ::signal(SIGPIPE, SIG_IGN); // as the host does
    const auto in_process_or_child = [&](const work& w) {
        return r.in_process ? run_here(w) : run_in_child(w, sanitized ? r.limit_s * 10 : r.limit_s);
    };
    // The plugin's code runs in children only; what it offers is asked in one, too.
    std::string offers;
    const outcome asked = in_process_or_child([&](const auto& say) {
        const environment env(r, say);
        if (const auto* f = env.plugin().executors()) const config check(f->options, f->n_options, r.options);
        if (const auto* f = env.plugin().transports()) const config check(f->options, f->n_options, r.options);
        std::string has = env.plugin().executors() ? "executors" : "";
        if (env.plugin().transports()) has += "transports";
        if (has.empty()) throw std::runtime_error(r.plugin.string() + ": has neither executors nor transports");
        throw skipped(has); // the way in which a child can say something that is no failure
    });
    if (asked.verdict != verdict::skipped) throw std::runtime_error(asked.detail);
    const bool executors = asked.detail.starts_with("executors"), transports = asked.detail.ends_with("transports");

    counts total;
    for (const test_case& c : all_cases()) {
        if (!applies(c.kind, executors, transports)) continue;
        if (::fnmatch(r.glob.c_str(), std::string(c.name).c_str(), 0) != 0) continue;
        const outcome o = in_process_or_child([&](const auto& say) { run_case(r, c, say); });
        ++(o.verdict == verdict::passed ? total.passed : o.verdict == verdict::skipped ? total.skipped : total.failed);
        report({c, o.verdict, o.detail, o.seconds});
    }
    if (total.passed + total.failed + total.skipped == 0) throw std::runtime_error("no case matches " + r.glob);
    return total;
}

} // namespace chimera::conformance
