#include "run.hpp"

#include <fnmatch.h>
#include <signal.h>

#include <algorithm>

#include "kit/census.hpp"
#include "kit/child.hpp"
#include "kit/environment.hpp"

namespace chimera::conformance {

namespace {

bool is_wanted(const test_case& c, const request& r, const introduction& i) {
    const bool applies =
        c.kind == kind::plugin || c.kind == kind::instance || (c.kind == kind::transport ? i.transports : i.executors);
    return applies && matches(c, r.glob);
}

outcome run_apart(const request& r, const work& w) {
    return r.in_process ? run_here(w) : run_in_child(w, sanitized ? r.limit_s * 10 : r.limit_s);
}

void run_case(const request& r, const test_case& c, const std::function<void(const std::string&)>& report) {
    environment env(r, c, report);
#ifdef __SANITIZE_THREAD__
    if (env.plugin().entry().flags & CHM_PLUGIN_NO_TSAN) throw skipped("it cannot run under ThreadSanitizer");
#endif
    try {
        env.warm_up();
    } catch (const failure&) {
        if (c.kind != kind::instance) throw; // of these the case itself says what is wrong
    }
    const census before = census::take();
    c.run(env);
    env.check_nothing_left(before);
}

constexpr test_case introducing{"introduction", kind::plugin, "", nullptr};

} // namespace

std::string_view name_of(verdict v) noexcept {
    switch (v) {
    case verdict::passed:
        return "passed";
    case verdict::warning:
        return "warning";
    case verdict::failed:
        return "failed";
    case verdict::crashed:
        return "crashed";
    case verdict::hung:
        return "hung";
    case verdict::skipped:
        return "skipped";
    }
    return "unknown";
}

bool matches(const test_case& c, const std::string& glob) {
    return ::fnmatch(glob.c_str(), std::string(c.name).c_str(), 0) == 0;
}

introduction introduce(const request& r) {
    // A child can say something that is no failure by skipping.
    const outcome asked = run_apart(r, [&](const auto& say) {
        const environment env(r, introducing, say);
        const plugin_file& p = env.plugin();
        std::string has;
        if (p.executors()) {
            const config check(p.executor_schema(), r.options);
            has += 'e';
        }
        if (p.transports()) {
            const config check(p.transport_schema(), r.options);
            has += 't';
        }
        if (has.empty()) throw std::runtime_error(r.plugin.string() + ": has neither executors nor transports");
        const char* version = p.entry().version;
        throw skipped(has + " " + p.entry().id + " " + (version ? version : ""));
    });
    if (asked.verdict == verdict::crashed || asked.verdict == verdict::hung)
        throw unusable(r.plugin.string() + ": " + std::string(name_of(asked.verdict)) + " while it was loaded (" +
                       asked.detail + ")");
    if (asked.verdict != verdict::skipped) throw unusable(asked.detail);
    introduction i;
    const std::size_t has = asked.detail.find(' '), id = asked.detail.find(' ', has + 1);
    i.executors = asked.detail.find('e') < has;
    i.transports = asked.detail.find('t') < has;
    i.id = asked.detail.substr(has + 1, id - has - 1);
    i.version = asked.detail.substr(id + 1);
    if (std::none_of(all_cases().begin(), all_cases().end(), [&](const test_case& c) { return is_wanted(c, r, i); }))
        throw unusable(r.plugin.string() + ": no case that applies to it matches " + r.glob);
    // By itself, because making an instance may be what the plugin gets wrong.
    const auto make = [&](const request& with) {
        return run_apart(with, [&](const auto& say) {
            environment env(with, introducing, say);
            if (i.transports) {
                chm_transport* t = env.make_transport();
                t->vt->destroy(t);
            }
            if (!i.executors) return;
            const auto e = env.make_executor();
            if (e->raw()->vt->get_extension(e->raw(), CHM_EXT_BRIDGE)) throw skipped("bridge");
        });
    };
    const outcome made = make(r);
    i.bridge = made.detail == "bridge";
    request by_default = r;
    by_default.options.clear();
    if (made.verdict == verdict::failed && !r.options.empty() && make(by_default).verdict != verdict::failed)
        throw unusable(r.plugin.string() + ": with these options " + made.detail);
    return i;
}

counts run(const request& r, const introduction& i, const std::function<void(const result&)>& report) {
    ::signal(SIGPIPE, SIG_IGN); // as the host does
    counts total;
    for (const test_case& c : all_cases()) {
        if (!is_wanted(c, r, i)) continue;
        const outcome o = run_apart(r, [&](const auto& say) { run_case(r, c, say); });
        total.add(o.verdict);
        report({c, o.verdict, o.detail, o.seconds});
    }
    return total;
}

} // namespace chimera::conformance
