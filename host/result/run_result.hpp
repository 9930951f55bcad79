// One run, as its files hold it: metrics.json (the run), requests.jsonl (a line for each request) and texts.jsonl (a
// line for each request's prompt and reply). Moments are nanoseconds since the execution began; they may lie before it,
// since agents are spawned first.
#pragma once

#include "result/json_fields.hpp"
#include "result/metric_table.hpp"
#include "result/over_time.hpp"
#include "result/provenance_fields.hpp"

namespace chimera::host {

/// Of metrics.json, requests.jsonl and texts.jsonl. Version 2 (texts in files of their own) is still read.
inline constexpr int run_schema_version = 3;
inline constexpr int oldest_run_schema_version = 2;

/// What the files say of a figure, so that they can be read without the program.
struct figure_definition {
    std::string unit, text, provenance;
};

/// Unit and definition of the table, with this provenance.
figure_definition definition_of(figure, provenance);

enum class concurrency { parallel, serialized };
template <>
inline constexpr auto words_of_enum<concurrency> =
    std::array{std::pair{concurrency::parallel, "parallel"}, std::pair{concurrency::serialized, "serialized"}};

enum class serialization_cause { none, permit, blocked_executor, server_queue, unknown };
template <>
inline constexpr auto words_of_enum<serialization_cause> =
    std::array{std::pair{serialization_cause::none, "none"}, std::pair{serialization_cause::permit, "permit"},
               std::pair{serialization_cause::blocked_executor, "blocked-executor"},
               std::pair{serialization_cause::server_queue, "server-queue"},
               std::pair{serialization_cause::unknown, "unknown"}};

/// Did the agents run side by side? An agent is active from the first byte of a response to its end. Overlap is the
/// time in which two agents are both active, over the active time of the less active one, over all pairs of agents.
/// Below 5 % the execution is serialized.
struct serialization_verdict {
    concurrency verdict = concurrency::parallel;
    serialization_cause cause = serialization_cause::none;
    std::optional<double> overlap_pct;
    std::string evidence; ///< one sentence with the figures behind the cause; empty when parallel

    bool serialized() const noexcept { return verdict == concurrency::serialized; }
};
template <>
inline constexpr auto fields_of<serialization_verdict> = field_list(
    field("verdict", &serialization_verdict::verdict, "", "parallel or serialized"),
    field("cause", &serialization_verdict::cause, "", "none, permit, blocked-executor, server-queue or unknown")
        .defaulted(),
    field("overlap_pct", &serialization_verdict::overlap_pct, "%",
          "time in which two agents were both active, over the active time of the less active one"),
    field("evidence", &serialization_verdict::evidence, "", "the figures behind the cause").defaulted());

/// Could the client itself, or something on the way of the records, have changed the figures?
///
/// A metric is client-limited when the busiest worker was on a CPU for more than 85 % of the time (then all are), or
/// when the p99 of the delivery or of the dispatch delay is over 1 % of the metric's median. The efficiency is
/// client-limited also when the client's own part of the loss (late starts by blocked workers, inflation by the stages
/// of the client) is over 1 % of the agent-time.
struct self_check {
    /// Those of "efficiency_pct", "ttft_ms", "itl_ms", "e2e_ms" that the client could have changed.
    std::vector<std::string> client_limited;
    /// Those of "itl_ms", "tpot_ms", "tokens_per_second" that describe how records were gathered on their way instead
    /// of the server: in most replies most records came together with others.
    std::vector<std::string> arrival_limited;
    std::vector<std::string> evidence; ///< a sentence for each reason of client_limited
    std::string arrival_evidence;      ///< the reason of arrival_limited
};
template <>
inline constexpr auto fields_of<self_check> = field_list(
    field("client_limited", &self_check::client_limited, "", "metrics that the client could have changed"),
    field("arrival_limited", &self_check::arrival_limited, "",
          "metrics that say how records were gathered on their way")
        .defaulted(),
    field("evidence", &self_check::evidence, "", "a sentence for each reason of client_limited").defaulted(),
    field("arrival_evidence", &self_check::arrival_evidence, "", "the reason of arrival_limited").left_out());

/// A kind of remark on the replies, and how many replies had it: read in another way than documented, or figures that
/// contradict each other.
struct counted_remark {
    std::string what, detail; ///< detail: of the first such reply
    std::uint64_t replies = 0, of = 0;
};
template <>
inline constexpr auto fields_of<counted_remark> =
    field_list(field("what", &counted_remark::what, "", "the remark"),
               field("detail", &counted_remark::detail, "", "of the first such reply").defaulted(),
               field("replies", &counted_remark::replies, "", "replies that had it"),
               field("of", &counted_remark::of, "", "all replies"));

/// The thread of the client that was on a CPU most.
struct thread_load {
    std::string thread; ///< its name
    double busy_pct = 0;
    double queued_pct = 0; ///< ready to run, without a CPU
};
template <>
inline constexpr auto fields_of<thread_load> =
    field_list(field("name", &thread_load::thread, "", "its name"),
               field("busy_pct", &thread_load::busy_pct, "%", "share of W on a CPU"),
               field("queued_pct", &thread_load::queued_pct, "%", "share of W ready to run, without a CPU"));

/// An agent's time between start and end by the stages of its path; the stages add up to it.
struct path_times {
    double scheduling = 0, blocked = 0, transport = 0;
    std::optional<double> coordination; ///< nothing: the agents do not coordinate
    std::optional<double> head_of_line; ///< nothing: the transport shares no connection
    double parsing = 0, work = 0, server = 0;
};
template <>
inline constexpr auto fields_of<path_times> = field_list(
    field("scheduling", &path_times::scheduling, "ms", "runnable and not polled"),
    field("blocked", &path_times::blocked, "ms", "the same, while a long poll held a worker"),
    field("transport", &path_times::transport, "ms", "in the transport"),
    field("head_of_line", &path_times::head_of_line, "ms", "behind others' bytes on a shared connection").left_out(),
    field("parsing", &path_times::parsing, "ms", "in the parser"),
    field("work", &path_times::work, "ms", "outside of requests"),
    field("coordination", &path_times::coordination, "ms", "sharing reports, and voting").left_out(),
    field("server", &path_times::server, "ms", "at the server and in the network"));

struct long_poll_result {
    std::int64_t begin_ns = 0, end_ns = 0;
    std::string stage; ///< the agent's: "ingest", "body", ...
};
template <>
inline constexpr auto fields_of<long_poll_result> = field_list(field("begin_ns", &long_poll_result::begin_ns, "ns"),
                                                               field("end_ns", &long_poll_result::end_ns, "ns"),
                                                               field("stage", &long_poll_result::stage, "",
                                                                     "work of the agent at that time"));

struct late_poll_result {
    std::int64_t runnable_ns = 0, polled_ns = 0;
};
template <>
inline constexpr auto fields_of<late_poll_result> = field_list(field("runnable_ns", &late_poll_result::runnable_ns,
                                                                     "ns"),
                                                               field("polled_ns", &late_poll_result::polled_ns, "ns"));

/// One agent of one execution. What an imported run did not record is absent.
struct agent_result {
    std::string id;
    std::optional<std::string> model;
    bool ok = true;
    std::string error; ///< of its own; those of its requests are theirs
    std::optional<std::int64_t> spawned_ns, first_polled_ns, permit_asked_ns, granted_ns, start_ns, end_ns;
    std::optional<double> duration_ms;
    std::optional<std::uint64_t> polls, in_polls_ns, runnable_ns;
    std::optional<path_times> path_ms;
    std::vector<long_poll_result> long_polls;
    std::vector<late_poll_result> late_polls;
    std::vector<std::string> warnings;
    std::optional<std::uint64_t> requests; ///< how many it made
};
template <>
inline constexpr auto fields_of<agent_result> = field_list(
    field("id", &agent_result::id, "", "its name in the profile"),
    field("model", &agent_result::model, "", "of an imported run").left_out(),
    field("ok", &agent_result::ok, "", "it and all its requests succeeded").defaulted(),
    field("error", &agent_result::error, "", "why it failed outside of a request").left_out(),
    field("spawned_ns", &agent_result::spawned_ns, "ns", "its task was given to the executor"),
    field("first_polled_ns", &agent_result::first_polled_ns, "ns", "its first poll"),
    field("permit_asked_ns", &agent_result::permit_asked_ns, "ns", "it asked for a permit"),
    field("granted_ns", &agent_result::granted_ns, "ns", "it was woken with its permit"),
    field("start_ns", &agent_result::start_ns, "ns", "its first poll with its permit"),
    field("end_ns", &agent_result::end_ns, "ns", "its work was done, or had failed"),
    field("duration_ms", &agent_result::duration_ms, "ms", "end - start: C_i, or T_i of an agent alone"),
    field("polls", &agent_result::polls, "", "polls of its task"),
    field("in_polls_ns", &agent_result::in_polls_ns, "ns", "time inside its polls"),
    field("runnable_ns", &agent_result::runnable_ns, "ns", "time from a wake to the poll after it"),
    field("path_ms", &agent_result::path_ms, "ms", "its time from start to end, by stage").left_out(),
    field("long_polls", &agent_result::long_polls, "", "polls longer than measure.long_poll_ms").defaulted(),
    field("late_polls", &agent_result::late_polls, "", "times as long in which it was runnable and not polled")
        .defaulted(),
    field("warnings", &agent_result::warnings, "", "of the agent, such as a broken corpus file").defaulted(),
    field("requests", &agent_result::requests, "", "requests that it made"));

struct execution_result {
    std::optional<double> wall_ms;
    std::optional<thread_load> busiest_thread; ///< nothing: not measured
    std::optional<execution_cost> cost;        ///< nothing: not measured
    std::vector<agent_result> agents;
};
template <>
inline constexpr auto fields_of<execution_result> = field_list(
    field("wall_ms", &execution_result::wall_ms, "ms", "from the start of the executor to its end"),
    field("busiest_thread", &execution_result::busiest_thread, "", "the client's thread that was on a CPU most"),
    field("cost", &execution_result::cost, "", "what it took of the machine").left_out(),
    field("agents", &execution_result::agents, "", "one entry for each agent").defaulted());

/// What an imported file said of itself.
struct recorded_claims {
    std::string file;
    std::optional<double> efficiency_percent;
    std::optional<bool> resource_contention_detected;
};
template <>
inline constexpr auto fields_of<recorded_claims> =
    field_list(field("file", &recorded_claims::file).defaulted(),
               field("efficiency_percent", &recorded_claims::efficiency_percent, "%"),
               field("resource_contention_detected", &recorded_claims::resource_contention_detected));

/// A file beside metrics.json, so that a damaged or exchanged one is found.
struct file_record {
    std::string name, crc32;
    std::uint64_t bytes = 0; // last: crc32 as the last member would look like a seal
};
template <>
inline constexpr auto fields_of<file_record> = field_list(field("name", &file_record::name),
                                                          field("crc32", &file_record::crc32, "", "of the whole file"),
                                                          field("bytes", &file_record::bytes));

template <>
inline constexpr auto fields_of<figure_definition> = field_list(field("unit", &figure_definition::unit),
                                                                field("provenance", &figure_definition::provenance),
                                                                field("definition", &figure_definition::text));

/// metrics.json.
struct run_result {
    int schema_version = run_schema_version;
    std::string source = "chimera"; ///< who measured: "chimera" or "tr115"
    std::string profile;
    std::optional<std::string> config, config_hash, executor, transport, coordinator;
    std::optional<std::int64_t> seed;
    int run = 0;
    bool complete = true; ///< every agent succeeded: only then there are values
    /// Nothing: not recorded. In each run, because runs are copied, resumed and read without their campaign.
    std::optional<campaign_provenance> origin;
    std::optional<serialization_verdict> serialization;
    std::optional<self_check> client;
    std::vector<counted_remark> remarks;
    std::map<std::string, double> values;                 ///< by figure; an absent one was not measured
    std::map<std::string, figure_definition> definitions; ///< of exactly these
    std::optional<recorded_claims> recorded;
    std::vector<execution_result> baseline; ///< one for each agent, alone
    execution_result concurrent;
    std::optional<over_time_result> over_time; ///< of the concurrent execution; nothing: it had no planned duration
    std::optional<file_record> requests_file, texts_file; ///< nothing: not recorded

    std::optional<double> value(const std::string& name) const {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<double> value(figure f) const { return value(name_of(f)); }
    void add(figure f, double value, std::optional<provenance> from = {}) {
        values[name_of(f)] = value;
        definitions[name_of(f)] = definition_of(f, from.value_or(row_of(f.of).from));
    }
};
template <>
inline constexpr auto fields_of<run_result> = field_list(
    field("schema_version", &run_result::schema_version, "", "3; 2 is still read"),
    field("source", &run_result::source, "", "who measured: chimera, or tr115 for imported runs"),
    field("profile", &run_result::profile, "", "name of the profile").defaulted(),
    field("config", &run_result::config, "", "configuration of an imported run").left_out(),
    field("config_hash", &run_result::config_hash, "", "hash of the resolved profile").left_out(),
    field("executor", &run_result::executor, "", "as the profile names it").left_out(),
    field("transport", &run_result::transport, "", "as the profile names it").left_out(),
    field("coordinator", &run_result::coordinator, "", "as the profile names it").left_out(),
    field("seed", &run_result::seed, "", "of the profile").left_out(),
    field("run", &run_result::run, "", "its number in its folder").defaulted(),
    field("complete", &run_result::complete, "", "every agent succeeded: only then there are values").defaulted(),
    field("provenance", &run_result::origin, "", "where it comes from: machine, build, plugins, servers").left_out(),
    field("serialization", &run_result::serialization, "", "did the agents run side by side?"),
    field("self_check", &run_result::client, "", "could the client have changed the result?"),
    field("remarks", &run_result::remarks, "", "kinds of remarks on the replies").defaulted(),
    field("values", &run_result::values, "", "one number for each figure that was measured"),
    field("definitions", &run_result::definitions, "", "unit, provenance and definition of exactly these"),
    field("recorded", &run_result::recorded, "", "an imported run's own words").left_out(),
    field("baseline", &run_result::baseline, "", "each agent alone").defaulted(),
    field("concurrent", &run_result::concurrent, "", "all agents together"),
    field("over_time", &run_result::over_time, "", "slice by slice, of a run with workload.duration_s").left_out(),
    field("requests_file", &run_result::requests_file, "", "name, checksum and bytes of requests.jsonl").left_out(),
    field("texts_file", &run_result::texts_file, "", "the same of texts.jsonl").left_out());

/// One piece of a response body. In JSON a list, since there is one for each token:
/// [delivered, readable_to_polled, polled_to_delivered, delivered_to_recorded, content_records, arrived_to_readable].
struct piece_result {
    std::int64_t delivered = 0;
    std::uint32_t readable_to_polled = 0, polled_to_delivered = 0, delivered_to_recorded = 0, content_records = 0,
                  arrived_to_readable = 0;
};
std::array<std::int64_t, 6> json_array_of(const piece_result&);
void read_json_array(piece_result&, const json&, const std::string& place);
void append_json_array(std::string& out, const piece_result&);

/// The figures that the server sent about a reply.
struct server_result {
    std::optional<std::int64_t> prompt_tokens, completion_tokens, reasoning_tokens, total_ns, load_ns, prompt_eval_ns,
        eval_ns;
    std::string finish_reason;
};
template <>
inline constexpr auto fields_of<server_result> = field_list(
    field("prompt_tokens", &server_result::prompt_tokens),
    field("completion_tokens", &server_result::completion_tokens),
    field("reasoning_tokens", &server_result::reasoning_tokens), field("total_ns", &server_result::total_ns, "ns"),
    field("load_ns", &server_result::load_ns, "ns"), field("prompt_eval_ns", &server_result::prompt_eval_ns, "ns"),
    field("eval_ns", &server_result::eval_ns, "ns"), field("finish_reason", &server_result::finish_reason).defaulted());

/// A line of requests.jsonl.
struct request_result {
    std::string execution; ///< "alone" or "together"
    std::string agent, call;
    std::optional<int> status;
    std::optional<std::string> error;
    std::optional<std::uint64_t> seed;
    std::optional<std::int64_t> intended_ns, dispatched_ns, connected_ns, sent_ns, first_byte_ns, first_token_ns,
        last_token_ns, done_ns, drained_ns, last_arrived_ns, last_polled_ns, last_delivered_ns, last_behind_others_ns,
        sending_delay_ns;
    std::optional<bool> reused;
    std::optional<std::uint32_t> retries;
    std::optional<double> tokens;
    std::optional<std::string> tokens_from;
    std::uint64_t hidden_tokens = 0;
    std::optional<std::uint64_t> content_records, reasoning_records, tool_call_records;
    std::optional<bool> arrival_limited, server_durations_used, reasoning_first;
    std::vector<std::string> remarks;
    std::optional<server_result> server;
    std::vector<piece_result> pieces;

    bool ok() const noexcept { return done_ns && !error; }
};
template <>
inline constexpr auto fields_of<request_result> = field_list(
    field("execution", &request_result::execution, "", "alone or together"),
    field("agent", &request_result::agent, "", "id of the agent"),
    field("call", &request_result::call, "", "name of the call: analysis, report, call_0, ..."),
    field("status", &request_result::status, "", "of HTTP; 0: no response"),
    field("error", &request_result::error, "", "null: it succeeded"),
    field("seed", &request_result::seed, "", "sent to the server"),
    field("intended_ns", &request_result::intended_ns, "ns", "when the plan wanted it sent"),
    field("dispatched_ns", &request_result::dispatched_ns, "ns", "the agent asked the transport"),
    field("connected_ns", &request_result::connected_ns, "ns", "the connection was there"),
    field("sent_ns", &request_result::sent_ns, "ns", "the kernel had the last byte of the request"),
    field("first_byte_ns", &request_result::first_byte_ns, "ns", "first byte of the response"),
    field("first_token_ns", &request_result::first_token_ns, "ns", "first piece of content"),
    field("last_token_ns", &request_result::last_token_ns, "ns", "last piece of content"),
    field("done_ns", &request_result::done_ns, "ns", "the final record was parsed"),
    field("drained_ns", &request_result::drained_ns, "ns", "the body had ended, or was given up"),
    field("last_arrived_ns", &request_result::last_arrived_ns, "ns", "arrival of the piece that ended the response"),
    field("last_polled_ns", &request_result::last_polled_ns, "ns", "the task was polled for it"),
    field("last_delivered_ns", &request_result::last_delivered_ns, "ns", "the parser got it"),
    field("last_behind_others_ns", &request_result::last_behind_others_ns, "ns",
          "its time behind others' bytes; only where connections are shared")
        .left_out(),
    field("sending_delay_ns", &request_result::sending_delay_ns, "ns",
          "runnable and not polled between dispatched and sent"),
    field("reused", &request_result::reused, "", "the connection had served another request"),
    field("retries", &request_result::retries, "", "times that it was sent again"),
    field("tokens", &request_result::tokens, "", "of the reply"),
    field("tokens_from", &request_result::tokens_from, "", "who counted them: server or content records"),
    field("hidden_tokens", &request_result::hidden_tokens, "", "those that the server counted and did not send")
        .defaulted(),
    field("content_records", &request_result::content_records, "", "records with content"),
    field("reasoning_records", &request_result::reasoning_records, "", "those of them with reasoning"),
    field("tool_call_records", &request_result::tool_call_records, "", "those of them with a tool call"),
    field("arrival_limited", &request_result::arrival_limited, "", "most records came together with others"),
    field("server_durations_used", &request_result::server_durations_used, "",
          "false: the arrival of the reply contradicts them"),
    field("remarks", &request_result::remarks, "", "worth knowing, and not a failure").defaulted(),
    field("reasoning_first", &request_result::reasoning_first, "", "the first token was reasoning"),
    field("server", &request_result::server, "", "the figures that the server sent"),
    field("pieces", &request_result::pieces, "ns",
          "[delivered, readable_to_polled, polled_to_delivered, delivered_to_recorded, content_records, "
          "arrived_to_readable] for each piece of the body")
        .defaulted());

/// A line of texts.jsonl.
struct text_result {
    std::string execution, agent, call;
    std::string_view prompt, response, reasoning; ///< borrowed
};
template <>
inline constexpr auto fields_of<text_result> =
    field_list(field("execution", &text_result::execution, "", "alone or together"),
               field("agent", &text_result::agent, "", "id of the agent"),
               field("call", &text_result::call, "", "name of the call"),
               field("prompt", &text_result::prompt, "", "the body's text as it was sent"),
               field("response", &text_result::response, "", "the reply's content"),
               field("reasoning", &text_result::reasoning, "", "the reply's reasoning").left_out());

} // namespace chimera::host
