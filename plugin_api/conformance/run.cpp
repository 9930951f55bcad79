#include "run.hpp"

#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <fnmatch.h>

#include "kit/census.hpp"
#include "kit/child.hpp"
#include "kit/environment.hpp"
#include "scripted_server/fronts.hpp"

namespace chimera::conformance {

namespace {

bool is_wanted(const test_case& c, const request& r, const introduction& i) {
    const auto applies = [&] {
        switch (c.kind) {
        case kind::plugin:
        case kind::instance:
            return true;
        case kind::transport:
            return i.transports;
        case kind::coordinator:
            return i.coordinators;
        default:
            return i.executors;
        }
    };
    return applies() && matches(c, r.globs);
}

outcome run_apart(const request& r, const work& w, bool after_hang = false) {
    if (r.in_process) return run_here(w);
    const unsigned limit_s = after_hang ? std::min(r.limit_s, limit_after_hang_s) : r.limit_s;
    return run_in_child(w, sanitized ? limit_s * 10 : limit_s, after_hang);
}

void run_case(const request& r, const test_case& c, const server_room* room,
              const std::function<void(const std::string&)>& report) {
    // Before the plugin is loaded, which may look once only.
    if (room) ::setenv("SSL_CERT_FILE", room->ca_file().c_str(), 1);
    environment env(r, c, report, room);
    if (under_tsan && env.plugin().entry().flags & CHM_PLUGIN_NO_TSAN)
        throw skipped("it cannot run under ThreadSanitizer");
    try {
        env.warm_up();
    } catch (const failure&) {
        if (c.kind != kind::instance) throw; // the case itself reports the fault
    }
    const census before = census::take();
    c.run(env);
    env.check_nothing_left(before);
}

std::string joined(const std::vector<std::string>& globs) {
    std::string text;
    for (const std::string& g : globs) text += (text.empty() ? "" : " or ") + g;
    return text;
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

bool matches(const test_case& c, const std::vector<std::string>& globs) {
    const std::string name(c.name);
    return std::ranges::any_of(globs, [&](const std::string& g) { return ::fnmatch(g.c_str(), name.c_str(), 0) == 0; });
}

introduction introduce(const request& r) {
    // A child reports something other than a failure by skipping.
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
        if (p.coordinators()) {
            const config check(p.coordinator_schema(), r.options);
            has += 'c';
        }
        if (has.empty())
            throw std::runtime_error(r.plugin.string() + ": has neither executors nor transports nor coordinators");
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
    i.coordinators = asked.detail.find('c') < has;
    i.id = asked.detail.substr(has + 1, id - has - 1);
    i.version = asked.detail.substr(id + 1);
    if (std::none_of(all_cases().begin(), all_cases().end(), [&](const test_case& c) { return is_wanted(c, r, i); }))
        throw unusable(r.plugin.string() + ": no case that applies to it matches " + joined(r.globs));
    // Alone, because a faulty plugin may fail when an instance is made.
    const auto make = [&](const request& with) {
        return run_apart(with, [&](const auto& say) {
            environment env(with, introducing, say);
            std::string said;
            if (i.transports) {
                for (const wire w : {wire::tcp, wire::unix_socket, wire::tls})
                    if (env.offers().has(w)) said += std::string(name_of(w)) + " ";
                if (env.offers().flags & CHM_TRANSPORT_HTTP2) said += "http2 ";
            }
            if (i.executors) {
                const auto e = env.make_executor();
                if (e->raw()->vt->get_extension(e->raw(), CHM_EXT_BRIDGE)) said += "bridge ";
            }
            if (i.coordinators) {
                chm_coordinator* c = env.make_coordinator();
                c->vt->destroy(c);
            }
            throw skipped(said);
        });
    };
    const outcome made = make(r);
    const auto said = [&](std::string_view word) {
        return made.verdict == verdict::skipped && made.detail.find(std::string(word) + " ") != std::string::npos;
    };
    i.hung = made.verdict == verdict::hung;
    i.bridge = said("bridge");
    i.http2 = said("http2");
    for (const wire w : {wire::tls, wire::unix_socket, wire::tcp})
        if (said(name_of(w))) i.over = w;
    if (r.over && i.transports) {
        if (made.verdict == verdict::skipped && !said(name_of(*r.over)))
            throw unusable(r.plugin.string() + ": does not offer URLs that are reached over " +
                           std::string(name_of(*r.over)));
        i.over = *r.over;
    }
    request by_default = r;
    by_default.options.clear();
    if (made.verdict == verdict::failed && !r.options.empty() && make(by_default).verdict != verdict::failed)
        throw unusable(r.plugin.string() + ": with these options " + made.detail);
    return i;
}

counts run(const request& r, const introduction& i, const std::function<void(const result&)>& report) {
    ::signal(SIGPIPE, SIG_IGN); // as the host does
    counts total;
    std::optional<server_room> room; // this process's, so that a case that crashes leaves nothing behind
    if (i.transports) room.emplace();
    for (const test_case& c : all_cases()) {
        if (!is_wanted(c, r, i)) continue;
        const unsigned hangs = total.of(verdict::hung);
        if (r.fail_fast && total.broken() > 0) total.why_not_run = "fail-fast";
        if (hangs >= hangs_at_most) total.why_not_run = "hangs";
        if (!total.why_not_run.empty()) {
            ++total.not_run;
            continue;
        }
        const outcome o = run_apart(
            r, [&](const auto& say) { run_case(r, c, room ? &*room : nullptr, say); }, i.hung || hangs > 0);
        total.add(o.verdict);
        report({c, o.verdict, o.detail, o.seconds});
    }
    return total;
}

} // namespace chimera::conformance
