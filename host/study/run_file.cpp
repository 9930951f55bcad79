#include "study/run_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

std::optional<double> ms(std::optional<std::int64_t> ns) {
    return ns ? std::optional(static_cast<double>(*ns) / 1e6) : std::nullopt;
}

study_serialization serialization_of(const results_object& o) {
    return {.serialized = o.text("verdict") == "serialized",
            .cause = o.text_or_empty("cause"),
            .evidence = o.text_or_empty("evidence"),
            .overlap_pct = o.figure_if("overlap_pct")};
}

study_agent agent_of(const results_object& o) {
    return {.id = o.text("id"),
            .model = o.text_or_empty("model"),
            .start_ms = ms(o.integer_if("start_ns")),
            .end_ms = ms(o.integer_if("end_ns")),
            .requests_made = o.integer_if("requests"),
            .requests = {}};
}

std::string first_error(const results_object& concurrent) {
    for (const results_object& a : concurrent.objects_if("agents"))
        if (const std::string error = a.text_or_empty("error"); !error.empty())
            return fmt::format("agent {}: {}", a.text("id"), error);
    return "not every request succeeded";
}

study_request request_of(const results_object& o) {
    const auto server = o.object_if("server");
    return {.call = o.text("call"),
            .ok = o.integer_if("done_ns") && o.text_or_empty("error").empty(),
            .dispatched_ms = ms(o.integer_if("dispatched_ns")),
            .first_token_ms = ms(o.integer_if("first_token_ns")),
            .last_token_ms = ms(o.integer_if("last_token_ns")),
            .done_ms = ms(o.integer_if("done_ns")),
            .tokens = o.figure_if("tokens"),
            .prompt_tokens = server ? server->figure_if("prompt_tokens") : std::nullopt,
            .hidden_tokens = o.figure_if("hidden_tokens").value_or(0)};
}

/// The same gaps as those of the metric itl_ms: records that came in one piece have a gap of 0.
void add_gaps(std::vector<double>& gaps, const results_object& request) {
    const auto pieces = request.value().find("pieces");
    if (pieces == request.value().end()) return;
    std::optional<double> previous;
    for (const auto& piece : *pieces) {
        constexpr double latest = 1e19; // ns: 300 years
        const bool good = piece.is_array() && piece.size() == 6 && piece[0].is_number() &&
                          std::abs(piece[0].get<double>()) < latest && piece[4].is_number_unsigned();
        if (!good) request.refuse("\"pieces\" should hold lists of six numbers");
        const auto records = piece[4].get<std::size_t>();
        constexpr std::size_t most_records = 1'000'000; // far more than the stream of one read can hold
        if (records > most_records)
            request.refuse(
                fmt::format("\"pieces\" has one of {} records; at most {} come at once", records, most_records));
        if (records == 0) continue;
        const double delivered = piece[0].get<double>() / 1e6;
        if (previous) gaps.push_back(delivered - *previous);
        gaps.insert(gaps.end(), records - 1, 0.0);
        previous = delivered;
    }
}

void read_requests(study_run& run) {
    const fs::path file = run.folder / "requests.jsonl";
    for (const auto& [json, place] : read_results_lines(file)) {
        const results_object line(json, place);
        if (line.text("execution") != "together") continue;
        const auto agent = std::ranges::find(run.agents, line.text("agent"), &study_agent::id);
        if (agent == run.agents.end())
            line.refuse(fmt::format("agent \"{}\" is not in metrics.json beside it", line.text("agent")));
        agent->requests.push_back(request_of(line));
        if (agent->requests.back().ok) add_gaps(run.itl_ms, line);
    }
    for (const study_agent& a : run.agents)
        if (a.requests_made && std::cmp_not_equal(*a.requests_made, a.requests.size()))
            throw study_error(fmt::format("{}: has {} requests of agent \"{}\", but metrics.json beside it {}",
                                          file.string(), a.requests.size(), a.id, *a.requests_made));
}

} // namespace

void check_version(const results_object& o, std::int64_t readable) {
    const std::int64_t found = o.integer("schema_version");
    if (found != readable)
        o.refuse(fmt::format("schema_version {}, expected {}: written by {} chimera-host; repeat it with this one, or "
                             "read it with that one",
                             found, readable, found < readable ? "an older" : "a newer"));
}

run_origin run_reader::read(study_run& run, const run_claims& claimed) {
    const fs::path file = run.folder / "metrics.json";
    if (!fs::exists(file)) throw study_error(file.string() + ": is missing; restore it, or have the run repeated");
    const auto [json, seal] = read_results_document(file);
    const results_object o(json, file.string());
    if (const std::string fault = fault_of_run(run.folder, json, seal, claimed); !fault.empty())
        throw study_error(fault);
    ++versions_[o.integer("schema_version")];
    check_version(o, readable_run_version);
    const results_object values = o.object("values"), defined = o.object("definitions");
    for (const auto& [name, value] : values.value().items()) {
        run.values[name] = values.figure(name.c_str());
        const results_object d = defined.object(name.c_str());
        definitions_.try_emplace(name, metric_definition{d.text("unit"), d.text("definition"), d.text("provenance")});
    }
    const results_object concurrent = o.object("concurrent");
    for (const results_object& a : concurrent.objects("agents")) run.agents.push_back(agent_of(a));
    if (const auto s = o.object_if("serialization")) run.serialization = serialization_of(*s);
    if (const auto s = o.object_if("self_check"))
        run.self_check =
            study_self_check{s->texts("client_limited"), s->texts_if("arrival_limited"), s->texts("evidence")};
    for (const results_object& r : o.objects_if("remarks"))
        run.remarks.push_back({r.text("what"), r.text_or_empty("detail"), r.integer("replies"), r.integer("of")});
    if (const auto r = o.object_if("recorded")) run.recorded_contention = r->boolean_if("resource_contention_detected");
    if (run.ok() && !o.boolean_if("complete").value_or(true)) {
        run.status = "failed";
        run.message = first_error(concurrent);
    }
    return {.profile = o.text_or_empty("profile"),
            .config = o.value().contains("config") ? o.text("config") : run.folder.parent_path().filename().string(),
            .executor = o.text_or_empty("executor"),
            .transport = o.text_or_empty("transport"),
            .source = o.text("source"),
            .seed = o.integer_if("seed")};
}

void mark_damaged(study_run& run, std::string message) {
    study_run left;
    left.runtime = run.runtime;
    left.config = run.config;
    left.number = run.number;
    left.folder = run.folder;
    left.status = "damaged";
    left.message = std::move(message);
    run = std::move(left);
}

void check_something_left(const study& s) {
    if (const auto damage = damage_of(s); !damage.empty() && std::ranges::all_of(s.runs, &study_run::damaged))
        throw study_error(damage);
}

std::vector<std::string> damage_of(const study& s) {
    std::vector<std::string> out = s.damage;
    for (const study_run& run : s.runs)
        if (run.damaged()) out.push_back(run.message);
    return out;
}

void read_requests(study& s) {
    for (study_run& run : s.runs) {
        if (!run.ok()) continue;
        try {
            read_requests(run);
        } catch (const study_error& e) {
            mark_damaged(run, e.what());
        }
    }
    check_something_left(s);
}

} // namespace chimera::host
