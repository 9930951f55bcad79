#include "profile/profile_keys.hpp"
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace chimera::host {

namespace {

constexpr double int64_max = 9223372036854775807.0;

template <class Enum>
choice_field choice(Enum& e) {
    return {&e, [](const void* p) { return static_cast<std::size_t>(*static_cast<const Enum*>(p)); },
            [](void* p, std::size_t i) { *static_cast<Enum*>(p) = static_cast<Enum>(i); }};
}

constexpr chm_option text(const char* name, const char* help, const char* initial) {
    return {sizeof(chm_option), CHM_OPT_STRING, name, help, initial, nullptr, 1, 0};
}
constexpr chm_option flag(const char* name, const char* help, const char* initial) {
    return {sizeof(chm_option), CHM_OPT_BOOL, name, help, initial, nullptr, 1, 0};
}
constexpr chm_option whole(const char* name, const char* help, const char* initial, double min, double max) {
    return {sizeof(chm_option), CHM_OPT_INT, name, help, initial, nullptr, min, max};
}
constexpr chm_option number(const char* name, const char* help, const char* initial, double min, double max) {
    return {sizeof(chm_option), CHM_OPT_FLOAT, name, help, initial, nullptr, min, max};
}
/// The choices are in the order of the enumerators.
constexpr chm_option word(const char* name, const char* help, const char* initial, const char* choices) {
    return {sizeof(chm_option), CHM_OPT_ENUM, name, help, initial, choices, 1, 0};
}

using enum key_scope;

const std::array keys_of_profile = std::to_array<profile_key<profile>>({
    {text("name", "Name of the results' folder; default: the file's name without its extension", nullptr),
     [](profile& p) -> key_field { return &p.name; }},
    {text("description", "One line for people", ""), [](profile& p) -> key_field { return &p.description; }},

    {word("backend.api", "The protocol that the servers speak", "ollama",
          "ollama|openai|ollama_chat|openai_completions"),
     [](profile& p) -> key_field { return choice(p.backend.api); }, llm_workload},
    {text("backend.urls", "Base URLs, assigned to the agents in turn; empty: embedded simulators", nullptr),
     [](profile& p) -> key_field { return &p.backend.urls; }, llm_workload},
    {text("backend.path", "Path of requests, below the URL's own path; empty: the protocol's", ""),
     [](profile& p) -> key_field { return &p.backend.path; }, llm_workload},
    {flag("backend.follow_redirects", "Follow status 307 and 308 to the same scheme, host and port", "false"),
     [](profile& p) -> key_field { return &p.backend.follow_redirects; }, llm_workload},
    {number("backend.drain_ms",
            "How long to wait for the end of a body after the answer is complete, in ms; then the connection is closed",
            "100", 0, 60000),
     [](profile& p) -> key_field { return &p.backend.drain_ms; }, llm_workload},
    {whole("backend.max_reply_bytes",
           "Largest body of a reply in bytes, after decoding; a larger one fails the request", "67108864", 1024, 1e12),
     [](profile& p) -> key_field { return &p.backend.max_reply_bytes; }, llm_workload},
    {text("backend.key_header", "Header that carries the API key as it is; empty: Authorization, as a bearer token",
          ""),
     [](profile& p) -> key_field { return &p.backend.key_header; }, llm_workload},
    {text("backend.headers", "Table of request headers to add; an empty value removes a header", nullptr),
     [](profile& p) -> key_field { return &p.backend.headers; }, llm_workload},
    {text("backend.body", "Table of JSON keys to add to each request; an empty value removes a key", nullptr),
     [](profile& p) -> key_field { return &p.backend.body; }, llm_workload},
    {whole("backend.simulator.instances", "Number of simulators, assigned to the agents in turn; 0: one for each agent",
           "0", 0, 1000),
     [](profile& p) -> key_field { return &p.backend.instances; }, simulator},
    {number("backend.simulator.speeds", "Factors of decode_tokens_per_s, assigned to the instances in turn", nullptr,
            0.0001, 10000),
     [](profile& p) -> key_field { return &p.backend.speeds; }, simulator},
    {flag("backend.simulator.shared_gpu", "The instances share one GPU and slow each other down (see contention)",
          "false"),
     [](profile& p) -> key_field { return &p.backend.shared_gpu; }, simulator},

    {word("workload.kind", "The agent of the reports, plain calls, or messages and votes without a server", "report",
          "report|calls|coordination"),
     [](profile& p) -> key_field { return choice(p.workload.kind); }},
    {whole("workload.permits", "How many agents may work at once; 0: all", "2", 0, 1e6),
     [](profile& p) -> key_field { return &p.workload.permits; }, llm_workload},
    {text("workload.corpus", "Folder of CSV, JSON and Markdown files to analyse; empty: 101 generated files", ""),
     [](profile& p) -> key_field { return &p.workload.corpus; }, report_workload},
    {text("workload.analysis_template", "File with the analysis prompt; empty: the built-in one", ""),
     [](profile& p) -> key_field { return &p.workload.analysis_template; }, report_workload},
    {text("workload.report_template", "File with the report prompt; empty: the built-in one", ""),
     [](profile& p) -> key_field { return &p.workload.report_template; }, report_workload},
    {whole("workload.calls_per_agent", "Calls that each agent makes, one after the other", "1", 1, 1e6),
     [](profile& p) -> key_field { return &p.workload.calls_per_agent; }, calls_workload},
    {number("workload.duration_s", "Agents make calls for this long, in s, instead of calls_per_agent; 0: count calls",
            "0", 0, 1e6),
     [](profile& p) -> key_field { return &p.workload.duration_s; }, calls_workload},
    {number("workload.ramp_ms", "The agents start evenly spread over this time, in ms", "0", 0, 3.6e6),
     [](profile& p) -> key_field { return &p.workload.ramp_ms; }, calls_workload},
    {word("workload.arrivals", "A call is due after the previous one (closed), or at a time of its own", "closed",
          "closed|constant|poisson"),
     [](profile& p) -> key_field { return choice(p.workload.arrivals); }, calls_workload},
    {number("workload.rate_per_s", "Calls per second of all agents together, if arrivals are not closed", "0", 0, 1e7),
     [](profile& p) -> key_field { return &p.workload.rate_per_s; }, calls_workload},
    {number("workload.think_ms", "Pause between the calls of one agent, in ms", "0", 0, 3.6e6),
     [](profile& p) -> key_field { return &p.workload.think_ms; }, calls_workload},
    {text("workload.prompts", "Prompts of the calls, used in turn", "Why is the sky blue?"),
     [](profile& p) -> key_field { return &p.workload.prompts; }, calls_workload},

    {text("workload.coordination.address", "The hub's host:port; port 0: any, where all endpoints are in one process",
          "127.0.0.1:0"),
     [](profile& p) -> key_field { return &p.workload.coordination.address; }, coordinated},
    {text("workload.coordination.key_file",
          "File with a line \"name hex\" for each member's key; empty: keys are drawn", ""),
     [](profile& p) -> key_field { return &p.workload.coordination.key_file; }, coordinated},
    {text("workload.coordination.key_env", "Environment variable that holds such lines, in place of a file", ""),
     [](profile& p) -> key_field { return &p.workload.coordination.key_env; }, coordinated},
    {text("workload.coordination.here", "\"hub\" and the agents' ids that this process runs; empty: all", nullptr),
     [](profile& p) -> key_field { return &p.workload.coordination.here; }, coordination_workload},
    {number("workload.coordination.decision_limit_ms", "A proposal that is not decided after this time is aborted",
            "10000", 1, 3.6e6),
     [](profile& p) -> key_field { return &p.workload.coordination.decision_limit_ms; }, coordinated},
    {whole("workload.coordination.cycles", "Cycles of each member: messages, then decisions", "100", 1, 1e7),
     [](profile& p) -> key_field { return &p.workload.coordination.cycles; }, coordination_workload},
    {whole("workload.coordination.messages", "Messages of each member to the hub in a cycle; each gets an answer", "10",
           0, 1e6),
     [](profile& p) -> key_field { return &p.workload.coordination.messages; }, coordination_workload},
    {whole("workload.coordination.message_bytes", "Length of a message", "1024", 8, 1048576),
     [](profile& p) -> key_field { return &p.workload.coordination.message_bytes; }, coordination_workload},
    {whole("workload.coordination.answer_bytes", "Length of an answer", "64", 8, 1048576),
     [](profile& p) -> key_field { return &p.workload.coordination.answer_bytes; }, coordination_workload},
    {whole("workload.coordination.in_flight", "Messages that a member sends before it waits for an answer", "10", 1,
           1024),
     [](profile& p) -> key_field { return &p.workload.coordination.in_flight; }, coordination_workload},
    {number("workload.coordination.straggler_ms", "The last member casts its votes so much later, in ms", "0", 0,
            60000),
     [](profile& p) -> key_field { return &p.workload.coordination.straggler_ms; }, coordination_workload},
    {word("workload.coordination.report_class", "Class of the vote on the merged report", "low",
          "low|medium|high|critical"),
     [](profile& p) -> key_field { return choice(p.workload.coordination.report_class); }, coordinated_report},
    {whole("workload.coordination.decisions.low", "Decisions of class low in a cycle, proposed by the members in turn",
           "0", 0, 1000),
     [](profile& p) -> key_field { return &p.workload.coordination.decisions[0]; }, coordination_workload},
    {whole("workload.coordination.decisions.medium", "The same of class medium", "0", 0, 1000),
     [](profile& p) -> key_field { return &p.workload.coordination.decisions[1]; }, coordination_workload},
    {whole("workload.coordination.decisions.high", "The same of class high", "0", 0, 1000),
     [](profile& p) -> key_field { return &p.workload.coordination.decisions[2]; }, coordination_workload},
    {whole("workload.coordination.decisions.critical", "The same of class critical", "0", 0, 1000),
     [](profile& p) -> key_field { return &p.workload.coordination.decisions[3]; }, coordination_workload},

    {whole("measure.runs", "Measured runs", "5", 1, 10000), [](profile& p) -> key_field { return &p.measure.runs; }},
    {whole("measure.warmup", "Warm-up runs before them, not counted", "1", 0, 1000),
     [](profile& p) -> key_field { return &p.measure.warmup; }},
    {whole("measure.seed", "Seed of all random choices", "1", 0, int64_max),
     [](profile& p) -> key_field { return &p.measure.seed; }},
    {flag("measure.baseline", "Also run each agent alone; without these runs the efficiency is only estimated", "true"),
     [](profile& p) -> key_field { return &p.measure.baseline; }},
    {flag("measure.pieces", "Time every poll and every piece of a body; false: only the moments of requests", "true"),
     [](profile& p) -> key_field { return &p.measure.pieces; }},
    {number("measure.long_poll_ms", "A poll that holds a worker longer than this is reported by name, in ms", "10",
            0.001, 1e6),
     [](profile& p) -> key_field { return &p.measure.long_poll_ms; }},
    {number(
         "measure.time_scale",
         "How many times as fast the servers answer as those that the profile stands for; the client's share is judged "
         "on their scale",
         "1", 1, 1000),
     [](profile& p) -> key_field { return &p.measure.time_scale; }},
    {number("measure.time_limit_s", "Limit for all runs together, in seconds", "600", 0.1, 1e6),
     [](profile& p) -> key_field { return &p.measure.time_limit_s; }},

    {number("alerts.ttft_p95_ms", "Warn when the 95th percentile of TTFT is above this, in ms", nullptr, 0, 1e9),
     [](profile& p) -> key_field { return &p.alerts.ttft_p95_ms; }, alerts},
    {number("alerts.ttft_p99_ms", "Warn when the 99th percentile of TTFT is above this, in ms", nullptr, 0, 1e9),
     [](profile& p) -> key_field { return &p.alerts.ttft_p99_ms; }, alerts},
    {number("alerts.itl_p99_ms", "Warn when the 99th percentile of ITL is above this, in ms", nullptr, 0, 1e9),
     [](profile& p) -> key_field { return &p.alerts.itl_p99_ms; }, alerts},
    {number("alerts.e2e_p95_ms", "Warn when the 95th percentile of E2E is above this, in ms", nullptr, 0, 1e9),
     [](profile& p) -> key_field { return &p.alerts.e2e_p95_ms; }, alerts},
    {number("alerts.client_delay_p99_ms",
            "Warn when the 99th percentile of the client's delay (readable -> recorded) is above this, in ms", nullptr,
            0, 1e9),
     [](profile& p) -> key_field { return &p.alerts.client_delay_p99_ms; }, alerts},
    {number("alerts.error_rate_pct", "Warn when more than this share of the requests failed, in %", nullptr, 0, 100),
     [](profile& p) -> key_field { return &p.alerts.error_rate_pct; }, alerts},
    {number("alerts.efficiency_min_pct", "Warn when the mean efficiency is below this, in %", nullptr, 0, 1000),
     [](profile& p) -> key_field { return &p.alerts.efficiency_min_pct; }, alerts},
    {number("alerts.throughput_min_tok_s", "Warn when the mean throughput of all agents is below this, in tokens/s",
            nullptr, 0, 1e9),
     [](profile& p) -> key_field { return &p.alerts.throughput_min_tok_s; }, alerts},
    {number("alerts.peak_memory_max_mib", "Warn when a run has more resident memory than this, in MiB", nullptr, 0,
            1e9),
     [](profile& p) -> key_field { return &p.alerts.peak_memory_max_mib; }, alerts},
    {number("alerts.memory_growth_max_mib_per_h",
            "Warn when the memory of a run with a duration_s detectably grows faster than this, in MiB/h", nullptr, 0,
            1e9),
     [](profile& p) -> key_field { return &p.alerts.memory_growth_max_mib_per_h; }, alerts},
    {flag("alerts.fail", "A tripped alert makes the exit status 1", "false"),
     [](profile& p) -> key_field { return &p.alerts.fail; }, alerts},
});

const std::array keys_of_plugin = std::to_array<profile_key<plugin_choice>>({
    {text("plugin", "A plugin's id, or the path of its file", nullptr),
     [](plugin_choice& p) -> key_field { return &p.plugin; }, always, true},
});

const std::array keys_of_agent = std::to_array<profile_key<agent_spec>>({
    {text("id", "Name in results and for --set; unique, fit for a file name", nullptr),
     [](agent_spec& a) -> key_field { return &a.id; }, always, true},
    {text("label", "Name for people; default: the id", nullptr), [](agent_spec& a) -> key_field { return &a.label; }},
    {text("model", "The model to ask for", "gemma3:latest"), [](agent_spec& a) -> key_field { return &a.model; },
     llm_workload},
    {text("url", "This agent's server; empty: one of backend.urls", ""),
     [](agent_spec& a) -> key_field { return &a.url; }, llm_workload},
    {text("prompt_template", "File with this agent's analysis prompt; empty: workload.analysis_template", ""),
     [](agent_spec& a) -> key_field { return &a.prompt_template; }, report_workload},
    {whole("options.num_gpu", "Layers on the GPU; -1: the server decides", nullptr, -1, 9999),
     [](agent_spec& a) -> key_field { return &a.options.num_gpu; }, llm_workload},
    {whole("options.num_ctx", "Context length in tokens", nullptr, 1, 1e7),
     [](agent_spec& a) -> key_field { return &a.options.num_ctx; }, llm_workload},
    {number("options.temperature", "Sampling temperature", nullptr, 0, 100),
     [](agent_spec& a) -> key_field { return &a.options.temperature; }, llm_workload},
    {number("options.top_p", "Sample from the most likely tokens, up to this total probability", nullptr, 0, 1),
     [](agent_spec& a) -> key_field { return &a.options.top_p; }, llm_workload},
    {whole("options.top_k", "Sample from this many of the most likely tokens", nullptr, 0, 1e6),
     [](agent_spec& a) -> key_field { return &a.options.top_k; }, llm_workload},
    {number("options.repeat_penalty", "Penalty for repeated tokens; 1: none", nullptr, 0, 10),
     [](agent_spec& a) -> key_field { return &a.options.repeat_penalty; }, llm_workload},
    {whole("options.num_predict", "Longest reply in tokens; -1: no limit, -2: until the context is full", nullptr, -2,
           1e7),
     [](agent_spec& a) -> key_field { return &a.options.num_predict; }, llm_workload},
    {whole("options.seed", "Seed of the server's sampling", nullptr, 0, int64_max),
     [](agent_spec& a) -> key_field { return &a.options.seed; }, llm_workload},
});

const profile_key<int> key_of_agent_count = {
    whole("count", "Number of agents to make from the template", nullptr, 1, 100'000),
    [](int& count) -> key_field { return &count; }, always, true};

template <class Number>
Number number_from(const std::string& text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

struct storing {
    const chm_option& option;
    const std::string& text;

    void operator()(bool* out) const { *out = text == "true"; }
    void operator()(int* out) const { *out = number_from<int>(text); }
    void operator()(std::uint64_t* out) const { *out = number_from<std::uint64_t>(text); }
    void operator()(double* out) const { *out = number_from<double>(text); }
    void operator()(std::string* out) const { *out = text; }
    void operator()(std::filesystem::path* out) const { *out = text; }
    void operator()(std::vector<std::string>* out) const { out->push_back(text); }
    void operator()(std::vector<named_text>*) const {}
    void operator()(std::optional<std::int64_t>* out) const { *out = number_from<std::int64_t>(text); }
    void operator()(std::optional<double>* out) const { *out = number_from<double>(text); }
    void operator()(const choice_field& out) const {
        const auto words = choices_of(option);
        const auto found = std::find(words.begin(), words.end(), text);
        out.set(out.enumerator, static_cast<std::size_t>(found - words.begin()));
    }
};

struct fetching {
    using result = std::optional<std::string>;
    const chm_option& option;

    static result unless_empty(const std::string& text) { return text.empty() ? result{} : result{text}; }
    template <class Number>
    static result unless_unset(const std::optional<Number>& value) {
        return value ? result{fmt::format("{}", *value)} : result{};
    }
    result operator()(const bool* in) const { return *in ? "true" : "false"; }
    result operator()(const int* in) const { return fmt::format("{}", *in); }
    result operator()(const std::uint64_t* in) const { return fmt::format("{}", *in); }
    result operator()(const double* in) const { return fmt::format("{}", *in); }
    result operator()(const std::string* in) const { return unless_empty(*in); }
    result operator()(const std::filesystem::path* in) const { return unless_empty(in->string()); }
    result operator()(const std::vector<std::string>*) const { return {}; }
    result operator()(const std::vector<named_text>*) const { return {}; }
    result operator()(const std::optional<std::int64_t>* in) const { return unless_unset(*in); }
    result operator()(const std::optional<double>* in) const { return unless_unset(*in); }
    result operator()(const choice_field& in) const { return choices_of(option).at(in.get(in.enumerator)); }
};

} // namespace

std::string lack_of(key_scope scope, workload_kind kind, bool has_coordinator) {
    const bool coordination = kind == workload_kind::coordination, report = kind == workload_kind::report;
    switch (scope) {
    case report_workload:
        return report ? "" : "needs workload.kind = \"report\"";
    case calls_workload:
        return kind == workload_kind::calls ? "" : "needs workload.kind = \"calls\"";
    case llm_workload:
        return coordination ? "needs workload.kind = \"report\" or \"calls\"" : "";
    case coordination_workload:
        return coordination ? "" : "needs workload.kind = \"coordination\"";
    case coordinated:
        return has_coordinator || coordination ? "" : "needs a [coordinator]";
    case coordinated_report:
        if (!report) return "needs workload.kind = \"report\"";
        return has_coordinator ? "" : "needs a [coordinator]";
    case always:
    case simulator:
    case alerts:
        break;
    }
    return {};
}

std::span<const profile_key<profile>> profile_keys() { return keys_of_profile; }
std::span<const profile_key<plugin_choice>> plugin_keys() { return keys_of_plugin; }
std::span<const profile_key<agent_spec>> agent_keys() { return keys_of_agent; }
const profile_key<int>& agent_count_key() { return key_of_agent_count; }

void store(const key_field& field, const chm_option& option, const std::string& text) {
    std::visit(storing{option, text}, field);
}

std::optional<std::string> fetch(const key_field& field, const chm_option& option) {
    return std::visit(fetching{option}, field);
}

} // namespace chimera::host
