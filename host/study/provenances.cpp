#include "provenance/in_words.hpp"
#include "study/analysis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace chimera::host {
namespace {

using runs_of = std::vector<const study_run*>;

/// The runs that have figures and say where these come from.
runs_of told_runs(const study& s) {
    runs_of out;
    for (const study_run& run : s.runs)
        if (run.ok() && run.result.origin) out.push_back(&run);
    return out;
}

// ---- which runs

std::string run_name(const study& s, const study_run& run) {
    return s.sweep ? fmt::format("{}/{}/run_{}", run.runtime, run.config, run.number)
                   : fmt::format("run_{}", run.number);
}

/// "runtimes pool, fiber" where these runs are all told runs of some values of the member, and no others.
std::string all_of(const char* what, std::string study_run::*member, const runs_of& runs, const runs_of& told) {
    std::vector<std::string> names;
    for (const study_run* run : runs)
        if (std::ranges::find(names, run->*member) == names.end()) names.push_back(run->*member);
    const auto expected = std::ranges::count_if(
        told, [&](const study_run* run) { return std::ranges::find(names, run->*member) != names.end(); });
    constexpr std::size_t most_names = 6;
    if (std::cmp_not_equal(expected, runs.size()) || names.size() > most_names) return "";
    return fmt::format("{}{} {}", what, names.size() == 1 ? "" : "s", fmt::join(names, ", "));
}

/// Which of the told runs these are, as shortly as that can be said; empty: all.
std::string where(const study& s, const runs_of& runs, const runs_of& told) {
    if (runs.size() == told.size()) return "";
    for (const auto& [what, member] :
         {std::pair("runtime", &study_run::runtime), std::pair("configuration", &study_run::config)})
        if (std::string all = all_of(what, member, runs, told); !all.empty()) return all;
    constexpr std::size_t most_names = 3;
    std::vector<std::string> names;
    for (const study_run* run : runs)
        if (names.size() < most_names) names.push_back(run_name(s, *run));
    return fmt::format("{}{}", fmt::join(names, ", "),
                       runs.size() > most_names ? fmt::format(" and {} more", runs.size() - most_names) : "");
}

// ---- what can change the figures

/// One thing that a run says, such as "CPU", "AMD EPYC 7B13". An absent member makes no fact, so a member that only one
/// side has does not count as a difference.
struct fact {
    std::string_view subject; ///< "machines"
    std::string name;         ///< that it goes by in both of two studies
    std::string of = {};      ///< tells facts of one name apart within a study: a server's URL
    std::string value = {};   ///< compared
};

class facts {
  public:
    void add(std::string_view subject, std::string name, std::string value, const std::string& of = {}) {
        if (!value.empty()) all_.push_back({subject, std::move(name), of, std::move(value)});
    }
    template <class T>
    void add(std::string_view subject, std::string name, const std::optional<T>& value, const std::string& of = {}) {
        if (value) add(subject, std::move(name), fmt::format("{}", *value), of);
    }
    std::vector<fact> take() { return std::move(all_); }

  private:
    std::vector<fact> all_;
};

/// Dates, the name of the host, the size of its memory and the paths of files are left out: alone they change no
/// figure. A plugin's facts are named by its id, so another executor does not count as a difference: it is compared.
std::vector<fact> facts_of(const campaign_provenance& p) {
    facts out;
    constexpr std::string_view machines = "machines", builds = "builds of chimera", plugins = "plugins",
                               servers = "servers", models = "models";
    out.add(machines, "CPU", p.machine.cpu_model);
    out.add(machines, "usable CPUs", p.machine.usable_cpus);
    out.add(machines, "governor", p.machine.governor);
    out.add(machines, "operating system", p.machine.os);
    out.add(machines, "kernel", p.machine.kernel);
    out.add(machines, "libc", p.machine.libc);
    out.add(machines, "hypervisor", p.machine.hypervisor);
    if (!p.machine.os) out.add(machines, "container", p.machine.container.value_or("none"));
    out.add(builds, "version", p.build.version);
    out.add(builds, "commit", p.build.commit);
    out.add(builds, "compiler", p.build.compiler);
    out.add(builds, "build type", p.build.build_type);
    for (const plugin_identity& plugin : p.plugins) {
        out.add(plugins, fmt::format("version of {}", plugin.id), plugin.version);
        out.add(plugins, fmt::format("sha256 of {}", plugin.id), plugin.sha256);
    }
    for (const server_identity& server : p.servers) {
        out.add(servers, "software", server.software, server.url);
        out.add(servers, fmt::format("version of {}", server.software.value_or("the server")), server.version,
                server.url);
        for (const model_identity& model : server.models) {
            out.add(models, fmt::format("digest of {}", model.name), model.digest, server.url);
            out.add(models, fmt::format("size of {}", model.name), model.parameter_size, server.url);
            out.add(models, fmt::format("quantization of {}", model.name), model.quantization, server.url);
        }
    }
    return out.take();
}

/// A fact in all told runs of a study: its values, each with its runs.
struct telling {
    fact of; ///< without a value
    std::vector<std::pair<std::string, runs_of>> values;

    std::set<std::string> set() const {
        std::set<std::string> out;
        for (const auto& [value, runs] : values) out.insert(value);
        return out;
    }
};

/// within: servers of different URLs are different things. Between studies they are not, because an address says
/// nothing about what serves there.
std::vector<telling> tellings_of(const runs_of& told, bool within) {
    std::vector<telling> out;
    for (const study_run* run : told)
        for (const fact& f : facts_of(*run->result.origin)) {
            auto known = std::ranges::find_if(out, [&](const telling& t) {
                return t.of.subject == f.subject && t.of.name == f.name && (!within || t.of.of == f.of);
            });
            if (known == out.end()) known = out.insert(out.end(), telling{{f.subject, f.name, within ? f.of : ""}, {}});
            auto value = std::ranges::find(known->values, f.value, &std::pair<std::string, runs_of>::first);
            if (value == known->values.end()) value = known->values.insert(known->values.end(), {f.value, {}});
            if (value->second.empty() || value->second.back() != run) value->second.push_back(run);
        }
    return out;
}

std::string shown(const std::string& value) { return fmt::format("'{}'", short_hash(value)); }

/// "'a' and 'b'".
std::string shown(const std::set<std::string>& values) {
    std::vector<std::string> out;
    for (const std::string& v : values) out.push_back(shown(v));
    return fmt::format("{}", fmt::join(out, " and "));
}

/// Differences of one subject in one sentence: a list, in the order of the facts.
using by_subject = std::vector<std::pair<std::string_view, std::vector<std::string>>>;

void add(by_subject& out, std::string_view subject, std::string difference) {
    auto known = std::ranges::find(out, subject, &by_subject::value_type::first);
    if (known == out.end()) known = out.insert(out.end(), by_subject::value_type{subject, {}});
    known->second.push_back(std::move(difference));
}

/// "'6.1.0' in 4 runs, '6.2.0' in 1 run (a/plain/run_3)": of the commonest value the runs are not named.
std::string by_runs(const study& s, const telling& t, const runs_of& told) {
    const auto commonest =
        std::ranges::max_element(t.values, {}, [](const auto& entry) { return entry.second.size(); });
    std::vector<std::string> out;
    for (auto v = t.values.begin(); v != t.values.end(); ++v) {
        const std::size_t n = v->second.size();
        const std::string which = v == commonest ? "" : where(s, v->second, told);
        out.push_back(fmt::format("{} in {} run{}{}", shown(v->first), n, n == 1 ? "" : "s",
                                  which.empty() ? "" : fmt::format(" ({})", which)));
    }
    return fmt::format("{}", fmt::join(out, ", "));
}

std::vector<std::string> differences_within(const study& s, const runs_of& told) {
    by_subject found;
    for (const telling& t : tellings_of(told, true))
        if (t.values.size() > 1)
            add(found, t.of.subject,
                fmt::format("{}{} {}", t.of.name, t.of.of.empty() ? "" : " at " + t.of.of, by_runs(s, t, told)));
    std::vector<std::string> out;
    for (const auto& [subject, differences] : found)
        out.push_back(fmt::format("The {} of the runs differ, and a difference between figures may be theirs: {}.",
                                  subject, fmt::join(differences, "; ")));
    return out;
}

// ---- lines

void add_line(std::vector<provenance_line>& lines, std::vector<runs_of>& runs, const char* subject, std::string text,
              const study_run* run) {
    auto known =
        std::ranges::find_if(lines, [&](const provenance_line& l) { return l.subject == subject && l.text == text; });
    if (known == lines.end()) {
        known = lines.insert(lines.end(), provenance_line{subject, std::move(text), 0, {}});
        runs.emplace_back();
    }
    runs_of& having = runs[static_cast<std::size_t>(known - lines.begin())];
    if (having.empty() || having.back() != run) having.push_back(run);
}

std::string with_name(const machine_identity& m) {
    const std::string what = in_words(m);
    if (!m.host_name) return what.empty() ? "not told" : what;
    return fmt::format("{}{}{}", *m.host_name, what.empty() ? "" : ": ", what);
}

/// Each machine, program, plugin and server once, with its runs, in this order.
std::vector<provenance_line> lines_of(const study& s, const runs_of& told) {
    std::vector<provenance_line> lines;
    std::vector<runs_of> runs; // of each line
    for (const study_run* run : told) add_line(lines, runs, "machine", with_name(run->result.origin->machine), run);
    for (const study_run* run : told) add_line(lines, runs, "program", in_words(run->result.origin->build), run);
    for (const study_run* run : told)
        for (const plugin_identity& p : run->result.origin->plugins) add_line(lines, runs, "plugin", in_words(p), run);
    for (const study_run* run : told)
        for (const server_identity& server : run->result.origin->servers)
            add_line(lines, runs, "server", fmt::format("{}: {}", server.url, in_words(server)), run);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        lines[i].runs = runs[i].size();
        lines[i].where = where(s, runs[i], told);
    }
    return lines;
}

} // namespace

std::optional<provenance_report> provenance_of(const study& s) {
    const runs_of told = told_runs(s);
    if (told.empty()) return std::nullopt;
    provenance_report out;
    const auto [first, last] = std::ranges::minmax_element(
        told, {}, [](const study_run* run) -> const std::string& { return run->result.origin->begun; });
    out.first_begun = (*first)->result.origin->begun;
    out.last_begun = (*last)->result.origin->begun;
    out.runs = told.size();
    out.runs_without = static_cast<std::size_t>(std::ranges::count_if(s.runs, &study_run::ok)) - told.size();
    out.lines = lines_of(s, told);
    out.differences = differences_within(s, told);
    return out;
}

std::vector<std::string> provenance_differences(const study& a, const std::string& label_a, const study& b,
                                                const std::string& label_b) {
    const runs_of told_a = told_runs(a), told_b = told_runs(b);
    std::vector<std::string> out;
    if (told_a.empty() != told_b.empty())
        out.push_back(fmt::format("{} does not say where it comes from (imported, or of an older chimera-host): "
                                  "machine, build, plugins and servers may differ from those of {}",
                                  told_a.empty() ? label_a : label_b, told_a.empty() ? label_b : label_a));
    by_subject found;
    const std::vector<telling> all_b = tellings_of(told_b, false);
    for (const telling& t : tellings_of(told_a, false)) {
        const auto same = std::ranges::find_if(all_b, [&](const telling& other) {
            return t.of.name == other.of.name && t.of.subject == other.of.subject;
        });
        if (same != all_b.end() && t.set() != same->set())
            add(found, t.of.subject, fmt::format("{} {} against {}", t.of.name, shown(t.set()), shown(same->set())));
    }
    for (const auto& [subject, differences] : found)
        out.push_back(
            fmt::format("the {} of {} and {} differ: {}", subject, label_a, label_b, fmt::join(differences, "; ")));
    return out;
}

} // namespace chimera::host
