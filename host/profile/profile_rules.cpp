#include "process/messages.hpp"
#include "process/secrets.hpp"
#include "profile/reading.hpp"

#include <boost/url/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <map>
#include <numeric>

namespace chimera::host {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 64;
constexpr std::size_t most_agents = 100'000;

bool fit_for_a_file_name(std::string_view text) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (text.empty() || text.size() > longest_name || !letter(text.front())) return false;
    for (const char c : text)
        if (!letter(c) && c != '_' && c != '-' && c != '.') return false;
    return true;
}

const std::string name_rule =
    fmt::format("use letters, digits, '_', '-' and '.', beginning with a letter or a digit, {} at most", longest_name);

bool is_port(const std::string& text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

/// The fault of a base URL; empty: none.
std::string url_fault(const std::string& text) {
    const auto parsed = boost::urls::parse_uri(text);
    constexpr const char* form = "; give http://host:port, https://host or http+unix://%2Frun%2Fserver.sock";
    if (!parsed) return fmt::format("is not a URL ({}){}", parsed.error().message(), form);
    const auto& url = *parsed;
    const bool local = url.scheme() == "http+unix";
    if (url.scheme() != "http" && url.scheme() != "https" && !local)
        return fmt::format("has the scheme \"{}\"{}", std::string(url.scheme()), form);
    if (url.has_userinfo()) return fmt::format("contains a user name or a password; {}", no_secret);
    if (url.encoded_host().empty() && (!local || url.encoded_path().empty())) return fmt::format("has no host{}", form);
    if (url.has_port() && !is_port(std::string(url.port()))) return fmt::format("has no usable port{}", form);
    if (url.has_query() || url.has_fragment())
        return fmt::format("is not a base URL: it has a query or a fragment{}", form);
    return {};
}

/// rest: a URL after its "://". A password that is not encoded may contain '/', '?' and '#'; then the text before them
/// is not host:port.
bool has_user_information(std::string_view rest) {
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.find('@') != std::string_view::npos) return true;
    const auto colon = authority.rfind(':');
    const bool has_port = colon == std::string_view::npos || authority.ends_with(']') ||
                          is_port(std::string(authority.substr(colon + 1)));
    return !has_port && rest.find('@') != std::string_view::npos;
}

class rules {
  public:
    rules(profile& p, const node& root, const std::string& file, std::vector<std::string>* faults)
        : p_(p), root_(root), file_(file), faults_(faults), paths_(agent_paths(root)) {}

    void check() {
        if (p_.name.empty()) p_.name = p_.source.stem().string();
        if (const auto why = file_name_fault(p_.name); !why.empty()) fault("name", why);
        check_agents();
        check_urls();
        check_plugin("executor", p_.executor);
        if (p_.foreign) check_plugin("foreign", *p_.foreign);
        if (p_.workload.kind != workload_kind::coordination) check_plugin("transport", p_.transport);
        if (p_.coordinator) check_coordination();
        check_requests();
        check_simulator();
        check_arrivals();
        check_measurement();
        const auto& work = p_.workload;
        if (!work.corpus.empty() && !fs::is_directory(work.corpus, ignored_))
            fault("workload.corpus",
                  fmt::format("{} is not a folder; give a folder, or leave the key out", work.corpus.string()));
        check_file("workload.analysis_template", work.analysis_template);
        check_file("workload.report_template", work.report_template);
        if (work.kind == workload_kind::calls && work.prompts.empty())
            fault("workload.prompts", "is empty; give at least one prompt, or leave the key out");
        if (p_.alerts.fail && !p_.alerts.any())
            fault("alerts.fail", "no alert is set; set a limit (example: ttft_p95_ms = 1000), or leave the key out");
        if (p_.alerts.memory_growth_max_mib_per_h && work.duration_s <= 0)
            fault("alerts.memory_growth_max_mib_per_h",
                  "needs a run that lasts; set workload.duration_s, or leave this key out");
        if (p_.alerts.efficiency_min_pct && !p_.measure.baseline)
            fault("alerts.efficiency_min_pct", "needs the baseline; leave it out, or set measure.baseline = true");
    }

  private:
    void fault(const std::string& path, const std::string& what) {
        const auto* at = node_at(root_, path);
        faults_->push_back(fault_at(at == nullptr ? origin{file_, true} : at->at, path, what));
    }

    void check_file(const std::string& path, const fs::path& file) {
        if (!file.empty() && !fs::is_regular_file(file, ignored_))
            fault(path, fmt::format("{} is not a file; give a file, or leave the key out", file.string()));
    }

    void check_agents() {
        auto& agents = p_.workload.agents;
        if (agents.empty() || agents.size() > most_agents)
            fault("workload.agents",
                  fmt::format("has {} agents; give 1 to {}, or leave it out for the two agents of the "
                              "reports",
                              agents.size(), most_agents));
        for (auto& agent : agents)
            if (agent.label.empty()) agent.label = agent.id;
        std::map<std::string, std::size_t> seen;
        for (std::size_t i = 0; i < paths_.size(); ++i) {
            const auto& agent = written_at(i);
            const auto path = [&](const char* key) { return fmt::format("{}.{}", paths_[i], key); };
            const auto [first, is_new] = seen.emplace(agent.id, i);
            if (node_at(root_, path("id")) == nullptr) {
                // already reported as missing
            } else if (const auto why = file_name_fault(agent.id); !why.empty()) {
                fault(path("id"), why);
            } else if (!is_new) {
                fault(path("id"), fmt::format("\"{}\" is the id of agent {} too; give each agent its own", agent.id,
                                              first->second));
            }
            if (agent.model.empty() && p_.workload.kind != workload_kind::coordination)
                fault(path("model"), "is empty; give the name of a model");
            check_file(path("prompt_template"), agent.prompt_template);
        }
    }

    /// An option of a plugin may be a URL, such as a proxy's, and a profile is copied into the results.
    void check_plugin(const std::string& table, const plugin_choice& choice) {
        if (choice.plugin.empty() && node_at(root_, table + ".plugin") != nullptr) // that it is missing has been said
            fault(table + ".plugin", "is empty; give a plugin's id, or the path of its file");
        for (const option_value& option : choice.options) {
            const auto scheme_end = option.value.find("://");
            if (option.type != CHM_OPT_STRING) continue;
            // Curl also accepts a proxy without a scheme.
            const auto at = option.value.find('@'), colon = option.value.find(':');
            if (scheme_end == std::string::npos
                    ? at != std::string::npos && colon < at
                    : has_user_information(std::string_view(option.value).substr(scheme_end + 3)))
                fault(
                    table + ".options." + option.key,
                    "contains a user name or a password; leave them out (a proxy can come from the environment: proxy "
                    "= \"env\")");
        }
    }

    void check_coordination() {
        check_plugin("coordinator", *p_.coordinator);
        const coordination_spec& c = p_.workload.coordination;
        const std::string table = "workload.coordination.";
        const bool by_itself = p_.workload.kind == workload_kind::coordination;
        const auto colon = c.address.rfind(':');
        std::uint16_t port = 0;
        const char *first = c.address.data() + std::min(colon, c.address.size() - 1) + 1,
                   *last = c.address.data() + c.address.size();
        const auto [end, error] = std::from_chars(first, last, port);
        const bool is_address = colon != std::string::npos && colon > 0 && error == std::errc{} && end == last;
        if (!is_address)
            fault(table + "address", fmt::format("\"{}\" is not host:port (example: \"127.0.0.1:4433\")", c.address));
        std::vector<std::string> names{"hub"};
        for (const agent_spec& agent : p_.workload.agents) names.push_back(agent.id);
        for (std::size_t i = 0; i < c.here.size(); ++i)
            if (std::ranges::find(names, c.here[i]) == names.end())
                fault(fmt::format("{}here.{}", table, i),
                      fmt::format("\"{}\" is no member of the group; {}", c.here[i], suggest(c.here[i], names)));
        for (std::size_t i = 1; i < names.size(); ++i)
            if (names[i] == "hub") fault("workload.agents", "has an agent called \"hub\", which is the hub's own name");
        if (!c.here.empty()) {
            if (is_address && port == 0)
                fault(table + "address", "has port 0, so the other processes cannot know it; give the hub's port");
            if (c.key_file.empty() && c.key_env.empty())
                fault(table + "here", "is a part of the group, so its processes need the same keys; give key_file or "
                                      "key_env");
        }
        if (!c.key_file.empty() && !c.key_env.empty())
            fault(table + "key_env", "and key_file both say where the keys are; leave one of them out");
        check_file(table + "key_file", c.key_file);
        const std::size_t members = p_.workload.agents.size();
        constexpr std::size_t least = 4; // n >= 3f + 1 with f >= 1
        const auto needs_more = [&](const std::string& key, const char* name) {
            if (members < least)
                fault(table + key,
                      fmt::format("class {} needs {} members or more, and the group has {}", name, least, members));
        };
        if (by_itself) {
            if (c.decisions[2] > 0) needs_more("decisions.high", "high");
            if (c.decisions[3] > 0) needs_more("decisions.critical", "critical");
            if (c.messages == 0 && std::ranges::count(c.decisions, 0) == decision_classes)
                fault(table + "messages", "is 0, and no class has decisions, so a cycle would do nothing");
            constexpr int most_decisions = 1000; // so many proposals may be open in a group
            if (std::accumulate(std::begin(c.decisions), std::end(c.decisions), 0) > most_decisions)
                fault(table + "decisions", fmt::format("has more than {} decisions in a cycle", most_decisions));
            if (p_.measure.baseline)
                fault(node_at(root_, "measure.baseline") != nullptr ? "measure.baseline" : "measure",
                      "a member alone has nobody to talk to, so there is no efficiency to measure; set "
                      "measure.baseline = false");
            const alert_spec& a = p_.alerts;
            if (a.ttft_p95_ms || a.ttft_p99_ms || a.itl_p99_ms || a.e2e_p95_ms || a.client_delay_p99_ms ||
                a.error_rate_pct || a.throughput_min_tok_s)
                fault("alerts", "has limits for replies, and this workload calls no server; leave them out");
        } else {
            if (c.report_class >= decision_class::high)
                needs_more("report_class", c.report_class == decision_class::high ? "high" : "critical");
            if (p_.workload.permits != 0 && static_cast<std::size_t>(p_.workload.permits) < members)
                fault("workload.permits",
                      fmt::format("is {} for {} agents that wait for each other's analyses, so they "
                                  "would never go on; set permits = 0",
                                  p_.workload.permits, members));
        }
    }

    void check_requests() {
        const backend_spec& b = p_.backend;
        const auto may_stand = [](char c) { return c > ' ' && c < '\x7f' && c != '#'; };
        if (!b.path.empty() && (b.path.front() != '/' || !std::ranges::all_of(b.path, may_stand)))
            fault("backend.path", fmt::format("\"{}\" is not a path; begin with '/', and percent-encode blanks and "
                                              "characters beyond ASCII (example: \"/v1/chat/completions\")",
                                              b.path));
        for (std::size_t begin = b.path.find('?'); begin < b.path.size();) { // at a '?' or '&'
            const std::size_t end = std::min(b.path.find('&', begin + 1), b.path.size());
            const std::string_view pair = std::string_view(b.path).substr(begin + 1, end - begin - 1);
            if (names_a_secret(pair.substr(0, pair.find('='))))
                fault("backend.path",
                      fmt::format("contains a secret in its query; {}, and backend.key_header", no_secret));
            begin = end;
        }
        const auto in_token = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                   std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
        };
        if (!std::ranges::all_of(b.key_header, in_token))
            fault("backend.key_header", "is not the name of a header; use letters, digits and '-'");
        for (const named_text& header : b.headers) {
            const std::string key = "backend.headers." + header.name;
            if (header.name.empty() || !std::ranges::all_of(header.name, in_token))
                fault(key, "is not the name of a header; use letters, digits and '-'");
            if (header.text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
                fault(key, "has a line break in its value");
        }
        for (const named_text& edit : b.body)
            if (edit.name == "stream")
                fault("backend.body.stream", "must not be set, because replies are always streamed; leave it out");
    }

    void check_simulator() {
        const backend_spec& b = p_.backend;
        const auto agents = static_cast<std::size_t>(
            std::ranges::count_if(p_.workload.agents, [](const agent_spec& agent) { return agent.url.empty(); }));
        const std::size_t instances = b.instances == 0 ? agents : static_cast<std::size_t>(b.instances);
        if (b.shared_gpu && b.instances == 1)
            fault("backend.simulator.shared_gpu", "needs more than one instance; set instances = 0");
        if (instances > agents)
            fault("backend.simulator.instances",
                  fmt::format("is {} for {} agents; give at most one for each agent", instances, agents));
        if (b.speeds.size() > instances)
            fault("backend.simulator.speeds",
                  fmt::format("has {} speeds for {} instances; leave out the last ones", b.speeds.size(), instances));
    }

    void check_measurement() {
        if (p_.measure.pieces) return;
        if (p_.measure.baseline)
            fault("measure.pieces",
                  "is off, so a loss of efficiency could not be explained; also set measure.baseline = false");
        const alert_spec& a = p_.alerts;
        if (a.itl_p99_ms || a.client_delay_p99_ms)
            fault(a.itl_p99_ms ? "alerts.itl_p99_ms" : "alerts.client_delay_p99_ms",
                  "needs measure.pieces = true; set it, or leave this key out");
    }

    void check_arrivals() {
        const workload_spec& w = p_.workload;
        if (w.kind != workload_kind::calls) return;
        const bool open = w.arrivals != arrival_kind::closed;
        if (w.duration_s > 0 && w.calls_per_agent != 1)
            fault("workload.duration_s", "and calls_per_agent both define the end; leave one of them out");
        if (open && w.rate_per_s <= 0)
            fault("workload.rate_per_s", "is 0, so no call would ever be due; give the calls per second of all agents");
        if (!open && w.rate_per_s > 0)
            fault("workload.rate_per_s",
                  "needs arrivals = \"constant\" or \"poisson\"; set one of them, or leave this key out");
        if (open && w.think_ms > 0)
            fault("workload.think_ms",
                  "needs arrivals = \"closed\", where a call waits for the previous one; leave it out");
        if (w.is_timed() && p_.measure.baseline)
            fault(node_at(root_, "measure.baseline") != nullptr ? "measure.baseline" : "measure",
                  "the duration of an agent is planned (duration_s, ramp_ms or arrivals), so there is no efficiency to "
                  "measure; set measure.baseline = false");
    }

    void check_urls() {
        auto& agents = p_.workload.agents;
        const auto& urls = p_.backend.urls;
        for (std::size_t i = 0; i < urls.size(); ++i)
            if (auto wrong = url_fault(urls[i]); !wrong.empty()) fault(fmt::format("backend.urls.{}", i), wrong);
        if (urls.size() > agents.size() && !agents.empty())
            fault("backend.urls",
                  fmt::format("has {} URLs for {} agents; leave out the unused ones", urls.size(), agents.size()));
        for (std::size_t i = 0; i < paths_.size(); ++i) {
            const auto& url = written_at(i).url;
            if (url.empty()) continue;
            if (auto wrong = url_fault(url); !wrong.empty()) fault(paths_[i] + ".url", wrong);
        }
        deal_urls(agents, urls);
    }

    /// The agent that was written at paths_[i]. Of a template's agents the last one, because its id is the longest.
    const agent_spec& written_at(std::size_t i) const {
        return agents_are_counted(root_) ? p_.workload.agents.back() : p_.workload.agents[i];
    }

    profile& p_;
    const node& root_;
    const std::string& file_;
    std::vector<std::string>* faults_;
    const std::vector<std::string> paths_; // of the agents, in the document
    std::error_code ignored_;              // a file that cannot be accessed counts as missing
};

} // namespace

std::string file_name_fault(std::string_view text) {
    return fit_for_a_file_name(text) ? "" : fmt::format("\"{}\" cannot be a file name; {}", text, name_rule);
}

void check_profile(profile& p, const node& root, const std::string& file, std::vector<std::string>* faults) {
    rules(p, root, file, faults).check();
}

void deal_urls(std::vector<agent_spec>& agents, const std::vector<std::string>& urls) {
    if (urls.empty()) return;
    for (std::size_t i = 0; i < agents.size(); ++i)
        if (agents[i].url.empty()) agents[i].url = urls[i % urls.size()];
}

} // namespace chimera::host
