#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "publish/publish.hpp"
#include "registry/checked_file.hpp"
#include "registry/registry.hpp"
#include "registry/trial.hpp"

#include <conformance/run.hpp>
#include <fmt/color.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace chimera::host {
namespace {

namespace kit = conformance;
using kit::verdict;

constexpr std::array every_verdict{verdict::passed,  verdict::warning, verdict::failed,
                                   verdict::crashed, verdict::hung,    verdict::skipped};

std::string_view name_of(kit::kind k) {
    switch (k) {
    case kit::kind::plugin:
        return "plugin";
    case kit::kind::instance:
        return "instance";
    case kit::kind::executor:
        return "executor";
    case kit::kind::reactor:
        return "reactor";
    case kit::kind::bridge:
        return "bridge";
    case kit::kind::transport:
        return "transport";
    case kit::kind::coordinator:
        return "coordinator";
    }
    return "unknown";
}

nlohmann::ordered_json rule(const kit::test_case& c) {
    return {{"name", c.name}, {"kind", name_of(c.kind)}, {"sentence", c.sentence}};
}

exit_status list(const validate_arguments& a) {
    std::string text;
    nlohmann::ordered_json j{{"schema_version", 1}, {"cases", nlohmann::ordered_json::array()}};
    for (const kit::test_case& c : kit::all_cases()) {
        if (!kit::matches(c, a.globs)) continue;
        text += fmt::format("{:<32} {:<10} {}\n", c.name, name_of(c.kind), c.sentence);
        j["cases"].push_back(rule(c));
    }
    if (text.empty()) throw kit::unusable(fmt::format("no case matches {}", fmt::join(a.globs, " or ")));
    print_result(a.json ? json_text(j) : text);
    return exit_status::success;
}

fmt::text_style style_of(verdict v) {
    switch (v) {
    case verdict::passed:
        return fg(fmt::terminal_color::green);
    case verdict::warning:
        return fg(fmt::terminal_color::yellow);
    case verdict::skipped:
        return fmt::emphasis::faint;
    default:
        return fg(fmt::terminal_color::red) | fmt::emphasis::bold;
    }
}

std::string line(const kit::result& r, bool colour) {
    const std::string word = fmt::format("{:<7}", kit::name_of(r.verdict));
    return fmt::format("{} {}: {}{}  {:.2f} s\n", colour ? fmt::format(style_of(r.verdict), "{}", word) : word,
                       r.which.name, r.which.sentence, r.detail.empty() ? "" : " (" + on_one_line(r.detail) + ")",
                       r.seconds);
}

std::string summary(const kit::counts& n) {
    std::string text;
    for (const verdict v : every_verdict)
        if (v == verdict::passed || v == verdict::failed || n.of(v) > 0)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n.of(v), kit::name_of(v));
    if (n.not_run > 0)
        text +=
            fmt::format(", {} not run ({})", n.not_run,
                        n.why_not_run == "hangs" ? fmt::format("{} cases hung", kit::hangs_at_most) : "--fail-fast");
    return text + "\n";
}

nlohmann::ordered_json document(const kit::request& r, const kit::introduction& who) {
    nlohmann::ordered_json j{{"schema_version", 1},  {"plugin", who.id},   {"version", who.version}, {"file", r.plugin},
                             {"options", r.options}, {"seed", r.seed},     {"executor", nullptr},    {"over", nullptr},
                             {"http2", nullptr},     {"foreign", nullptr}, {"transport", nullptr}};
    if (who.transports || who.coordinators) j["executor"] = or_null(r.executor.string());
    if (who.transports) {
        j["over"] = name_of(who.over);
        j["http2"] = who.http2;
    }
    if (who.bridge) j["foreign"] = or_null(r.foreign.string());
    if (who.bridge) j["transport"] = or_null(r.transport.string());
    j["cases"] = nlohmann::ordered_json::array();
    return j;
}

std::string_view described(kit::wire w) {
    return w == kit::wire::tcp ? "TCP" : w == kit::wire::tls ? "TLS" : "a Unix socket";
}

std::string heading(const kit::request& r, const kit::introduction& who) {
    std::string text = fmt::format("{} {}  {}, seed {}\n", on_one_line(who.id), on_one_line(who.version),
                                   on_one_line(r.plugin.string()), r.seed);
    if (who.transports)
        text += fmt::format("on executor {}, over {}{}\n",
                            r.executor.empty() ? "of the kit's own" : on_one_line(r.executor.string()),
                            described(who.over), who.http2 ? ", as HTTP/2" : "");
    if (who.coordinators && !who.transports)
        text +=
            fmt::format("on executor {}\n", r.executor.empty() ? "of the kit's own" : on_one_line(r.executor.string()));
    if (who.bridge)
        text += fmt::format("bridge to executor {} under transport {}\n",
                            r.foreign.empty() ? "none (--foreign)" : on_one_line(r.foreign.string()),
                            r.transport.empty() ? "none (--transport)" : on_one_line(r.transport.string()));
    return text;
}

std::map<std::string, std::string> parsed(const std::vector<std::string>& options) {
    std::map<std::string, std::string> all;
    for (const std::string& text : options) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            throw kit::unusable(fmt::format("--set: '{}' is not KEY=VALUE (example: workers=2)", text));
        all[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return all;
}

/// The request to the kit, and the files behind its paths. Every case loads these files, even if other files lie at the
/// paths by then.
struct resolved_request {
    kit::request request;
    std::map<std::filesystem::path, checked_file_ptr> files;
};

/// Finds the plugins of a request. A missing plugin for a bridge is left out; the bridge's cases report it.
resolved_request resolved(const validate_arguments& a) {
    if (a.plugin.empty())
        throw kit::unusable("no plugin was named; give its file or its id (see chimera-host plugins)");
    registry_settings settings;
    settings.allow_untrusted = a.allow_untrusted;
    const registry plugins(settings);
    resolved_request both;
    const auto find = [&](const std::string& name, const std::string& fallback = {}) -> std::filesystem::path {
        if (name.empty()) return {};
        try {
            const auto file = plugins.find(name);
            both.files.emplace(file->path(), file);
            return file->path();
        } catch (const plugin_error&) {
            if (name != fallback) throw;
            return {};
        }
    };
    const validate_arguments defaults;
    kit::request& r = both.request;
    r.plugin = find(a.plugin);
    r.executor = find(a.executor);
    r.foreign = find(a.foreign, defaults.foreign);
    r.transport = find(a.transport, defaults.transport);
    r.options = parsed(a.options);
    for (const kit::wire w : {kit::wire::tcp, kit::wire::unix_socket, kit::wire::tls})
        if (name_of(w) == a.over) r.over = w;
    r.globs = a.globs;
    r.fail_fast = a.fail_fast;
    r.seed = a.seed;
    r.limit_s = a.limit_s;
    r.in_process = a.in_process;
    r.verbose = a.verbose;
    r.loadable = [files = both.files](const std::filesystem::path& path) { return files.at(path)->loadable(); };
    return both;
}

exit_status validate(const validate_arguments& a) {
    auto [r, files] = resolved(a);
    const kit::introduction who = kit::introduce(r);
    const validate_arguments defaults;
    const auto refuse = [&](const char* option, const char* whose) {
        throw kit::unusable(fmt::format("{} is for {}, and {} is not one", option, whose, who.id));
    };
    if (!who.transports && !who.coordinators && a.executor != defaults.executor)
        refuse("--executor", "a transport or a coordinator");
    if (!who.transports && a.over != defaults.over) refuse("--over", "a transport");
    if (!who.bridge && a.foreign != defaults.foreign) refuse("--foreign", "an executor with a bridge");
    if (!who.bridge && a.transport != defaults.transport) refuse("--transport", "an executor with a bridge");
    if (!who.bridge) { // not needed
        r.foreign.clear();
        r.transport.clear();
    }
    nlohmann::ordered_json j = document(r, who);
    if (!a.json) print_result(heading(r, who));
    const bool colour = ::isatty(STDOUT_FILENO) == 1;
    const kit::counts n = kit::run(r, who, [&](const kit::result& one) {
        if (a.only_failed && (one.verdict == verdict::passed || one.verdict == verdict::skipped)) return;
        if (!a.json) return print_result(line(one, colour));
        nlohmann::ordered_json c = rule(one.which);
        c["verdict"] = kit::name_of(one.verdict);
        c["detail"] = one.detail;
        c["seconds"] = one.seconds;
        j["cases"].push_back(std::move(c));
    });
    if (n.broken() == 0 && !a.in_process) // it passed every case, but may break a rule without a case
        if (const trial loaded = try_plugin(files.at(r.plugin), trial_depth::load, registry_settings{}.trial_limit);
            !loaded.fault.empty())
            throw plugin_error(loaded.fault, loaded.rc);
    for (const verdict v : every_verdict) j["counts"][std::string(kit::name_of(v))] = n.of(v);
    j["counts"]["not_run"] = n.not_run;
    j["not_run_because"] = or_null(std::string(n.why_not_run));
    print_result(a.json ? json_text(j) : summary(n));
    return n.broken() == 0 ? exit_status::success : exit_status::broken_rule;
}

} // namespace

exit_status validate_command(const validate_arguments& a) {
    const auto refuse = [&a](const std::exception& e) {
        say(fmt::format("chimera-host: {}", on_one_line(e.what())));
        const nlohmann::ordered_json j{{"schema_version", 1}, {"error", e.what()}};
        if (a.json) print_result(json_text(j));
        return exit_status::bad_input;
    };
    try {
        return a.list ? list(a) : validate(a);
    } catch (const kit::unusable& e) {
        return refuse(e);
    } catch (const plugin_error& e) {
        return refuse(e);
    }
}

} // namespace chimera::host
