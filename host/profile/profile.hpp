#pragma once
#include "profile/options.hpp"
#include "protocol/llm_api.hpp"
#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A profile with everything resolved: defaults filled in, options checked, paths absolute. It describes one
/// configuration and never contains a secret. The meaning, range and default of every value stand in one table, in
/// profile/profile_keys.cpp.
namespace chimera::host {

/// [executor], [foreign], [transport], [coordinator].
struct plugin_choice {
    std::string plugin;                ///< a plugin's id, or the absolute path of its file
    std::vector<option_value> options; ///< every key of the plugin's schema, in the schema's order
    bool operator==(const plugin_choice&) const = default;
};

/// Options of a request. An option that is not set is not sent, and the server uses its own default.
struct server_options {
    std::optional<std::int64_t> num_gpu, num_ctx, top_k, num_predict, seed;
    std::optional<double> temperature, top_p, repeat_penalty;
    auto operator<=>(const server_options&) const = default;
};

/// [[workload.agents]].
struct agent_spec {
    std::string id;    ///< unique, fit for a file name
    std::string label; ///< for people; default: the id
    std::string model;
    std::string url; ///< the server's base URL; empty: an embedded simulator
    server_options options;
    std::filesystem::path prompt_template; ///< report: this agent's analysis prompt; empty: the workload's
    bool operator==(const agent_spec&) const = default;
};

enum class workload_kind { report, calls, coordination };

/// When an agent's next call is due: after its previous call (closed), or at times that do not wait for it (open).
enum class arrival_kind { closed, constant, poisson };

/// How many votes a decision needs: chimera/abi/coordinator.h, from low on.
enum class decision_class { low, medium, high, critical };
inline constexpr std::size_t decision_classes = 4;
/// "low", ...
std::string_view name_of(decision_class) noexcept;

/// [workload.coordination], read only with a [coordinator].
struct coordination_spec {
    std::string address = "127.0.0.1:0"; ///< the hub's
    std::filesystem::path key_file;      ///< empty: keys drawn for each execution, or from key_env
    std::string key_env;                 ///< name of the environment variable with the keys
    std::vector<std::string> here;       ///< "hub" and ids of agents that this process runs; empty: all
    double decision_limit_ms = 10000;
    // kind = coordination:
    int cycles = 100;
    int messages = 10; ///< of each member in a cycle
    int message_bytes = 1024, answer_bytes = 64;
    int in_flight = 10;                   ///< messages of a member without an answer
    int decisions[decision_classes] = {}; ///< of each class in a cycle, of all members together
    double straggler_ms = 0;              ///< the last member's votes come so much later
    // kind = report:
    decision_class report_class = decision_class::low;
    bool operator==(const coordination_spec&) const = default;
};

/// [workload].
struct workload_spec {
    workload_kind kind = workload_kind::report;
    int permits = 2;                ///< how many agents may work at once; 0: all
    std::vector<agent_spec> agents; ///< at least one
    // kind = report:
    std::filesystem::path corpus;            ///< folder to ingest; empty: the generated corpus
    std::filesystem::path analysis_template; ///< empty: the built-in prompt
    std::filesystem::path report_template;   ///< empty: the built-in prompt
    // kind = calls:
    int calls_per_agent = 1;
    double duration_s = 0; ///< not 0: agents start calls for this long, instead of calls_per_agent
    double ramp_ms = 0;    ///< the agents start evenly spread over this time
    arrival_kind arrivals = arrival_kind::closed;
    double rate_per_s = 0;            ///< open arrivals: calls of all agents together
    double think_ms = 0;              ///< closed arrivals: pause between the calls of one agent
    std::vector<std::string> prompts; ///< call k of an agent uses prompt k modulo their number
    coordination_spec coordination;
    /// The times of calls are planned. Then an agent alone takes as long as the plan says, and a baseline is useless.
    bool is_timed() const noexcept { return duration_s > 0 || ramp_ms > 0 || arrivals != arrival_kind::closed; }
    bool operator==(const workload_spec&) const = default;
};

/// A line of a table whose keys are the user's own: [backend.headers], [backend.body].
struct named_text {
    std::string name;
    std::string text; ///< empty: do not send this name, which is sent by default
    bool operator==(const named_text&) const = default;
};

/// [backend].
struct backend_spec {
    llm_api api = llm_api::ollama;
    std::vector<std::string> urls; ///< as given; the agents' own urls are already chosen from them
    std::string path;              ///< path of the request, below the URL's own path; empty: the protocol's
    bool follow_redirects = false; ///< status 307 and 308, to the same origin
    double drain_ms = 100;         ///< how long to wait for the end of a body after the answer is complete
    std::uint64_t max_reply_bytes = std::uint64_t{64} << 20U; ///< limit of a reply's body, after decoding
    std::string key_header;          ///< header for the API key; empty: Authorization, as a bearer token
    std::vector<named_text> headers; ///< added to each request
    std::vector<named_text> body;    ///< added to each request's JSON: dotted keys, values as JSON
    // [backend.simulator], read only for agents without a url:
    int instances = 0;                   ///< number of simulators, assigned to the agents in turn; 0: one for each
    std::vector<std::string> speeds;     ///< factors of the decode rate, assigned to the instances in turn; empty: 1
    bool shared_gpu = false;             ///< the instances slow each other down
    std::vector<option_value> simulator; ///< every option of the simulator, in the order of its table; snake_case
    bool operator==(const backend_spec&) const = default;
};

/// [measure].
struct measure_spec {
    int runs = 5;
    int warmup = 1;
    std::uint64_t seed = 1;
    bool baseline = true;      ///< run each agent alone as well
    bool pieces = true;        ///< time every poll and every piece of a body
    double long_poll_ms = 10;  ///< a poll longer than this is named
    double time_scale = 1;     ///< how many times as fast the servers answer as those that the profile stands for
    double time_limit_s = 600; ///< for all runs together
    bool operator==(const measure_spec&) const = default;
};

/// [alerts]: limits for warnings. A limit that is not set is not watched.
struct alert_spec {
    std::optional<double> ttft_p95_ms, ttft_p99_ms, itl_p99_ms, e2e_p95_ms, client_delay_p99_ms, error_rate_pct;
    std::optional<double> efficiency_min_pct, throughput_min_tok_s, peak_memory_max_mib, memory_growth_max_mib_per_h;
    bool fail = false; ///< a tripped alert makes the campaign fail
    bool any() const;  ///< a limit is set
    bool operator==(const alert_spec&) const = default;
};

struct profile {
    std::string name; ///< fit for a file name
    std::string description;
    plugin_choice executor;
    std::optional<plugin_choice> foreign;     ///< the executor that a bridge needs
    plugin_choice transport;                  ///< without a plugin if kind = coordination
    std::optional<plugin_choice> coordinator; ///< always there if kind = coordination
    backend_spec backend;
    workload_spec workload;
    measure_spec measure;
    alert_spec alerts;
    std::filesystem::path source; ///< the file it was read from, absolute

    /// Equal content; source is not compared.
    bool operator==(const profile& other) const;

    /// True if an agent that calls a server has no URL, so that simulators must be started.
    bool needs_simulator() const;
};

/// The whole profile as TOML, every key with its value. Loading this text gives an equal profile, from any folder.
std::string to_toml(const profile&);

/// 16 hex digits that identify the configuration: FNV-1a of to_toml() without the description, the alerts, measure.runs
/// and measure.warmup.
std::string config_hash(const profile&);

/// FNV-1a of 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/: equal on every machine and with every standard
/// library, which std::hash is not. hash: the hash of the bytes before.
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325) noexcept {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

/// A name for the configuration's folder, made of the agents' options: "chimera_homo_gpu80_ctx512" (all agents equal),
/// "chimera_hetero_gpu80-100_ctx512-1024", "baseline_vs_chimera_gpu80_ctx512" (at least one agent with the server's
/// defaults), "baseline" (all agents with them); "single_..." instead of "chimera_homo_..." for one agent. Different
/// configurations may have the same name; config_hash tells them apart.
std::string config_name(const profile&);
/// The same of the options of each agent.
std::string config_name(const std::vector<server_options>& agents);

} // namespace chimera::host
