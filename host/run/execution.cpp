#include "run/execution.hpp"

#include "agent/agent_task.hpp"
#include "coordination/group_tasks.hpp"
#include "coordination/report_group.hpp"
#include "measure/memory_sampler.hpp"
#include "measure/over_time.hpp"
#include "measure/poll_log.hpp"
#include "measure/task_probe.hpp"
#include "measure/thread_sampler.hpp"
#include "protocol/excerpt.hpp"
#include "provenance/cost_meter.hpp"
#include "run/stage.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <vector>

namespace chimera::host {
namespace {

constexpr unsigned blocking_threads = 2;

std::vector<model_option> model_options(const server_options& o) {
    std::vector<model_option> out;
    const auto add = [&out](const char* key, const auto& value) {
        if (value) out.push_back({key, *value});
    };
    add("num_gpu", o.num_gpu);
    add("num_ctx", o.num_ctx);
    add("temperature", o.temperature);
    add("top_p", o.top_p);
    add("top_k", o.top_k);
    add("repeat_penalty", o.repeat_penalty);
    add("num_predict", o.num_predict);
    return out;
}

/// The longest reply of the embedded simulators; 0: the profile does not say.
std::int64_t longest_simulated(const backend_spec& backend) {
    const auto option = std::ranges::find(backend.simulator, "reply_tokens_max", &option_value::key);
    return option == backend.simulator.end() ? 0 : std::strtoll(option->value.c_str(), nullptr, 10);
}

/// The expected length of a reply. A longer one costs its agent an allocation now and then.
std::size_t expected_tokens(const profile& p, const agent_spec& a) {
    constexpr std::int64_t most = 4096;
    const std::int64_t limit = a.options.num_predict.value_or(a.url.empty() ? longest_simulated(p.backend) : 0);
    return static_cast<std::size_t>(limit > 0 ? std::min(limit, most) : most);
}

llm_endpoint endpoint_of(const execution_setup& setup, std::size_t agent, std::uint64_t seed_base) {
    const agent_spec& spec = setup.what.workload.agents.at(agent);
    llm_endpoint e;
    const backend_spec& backend = setup.what.backend;
    e.api = backend.api;
    e.target = target_of(setup.servers.url(agent), path_of(backend.api), backend.path);
    for (const named_text& header : backend.headers) e.headers.emplace_back(header.name, header.text);
    for (const named_text& edit : backend.body) e.body_edits.push_back({edit.name, edit.text});
    e.key_header = backend.key_header;
    e.follow_redirects = backend.follow_redirects;
    e.drain_ns = static_cast<nanoseconds_t>(backend.drain_ms * 1e6);
    e.max_reply_bytes = backend.max_reply_bytes;
    e.api_key = setup.api_key;
    e.model = spec.model;
    e.options = model_options(spec.options);
    e.seed = spec.options.seed;
    e.expected_tokens = expected_tokens(setup.what, spec);
    e.seed_base = seed_base;
    return e;
}

/// The endpoints of an execution's agents. Agents with the same server, model and options share one: there may be
/// thousands of them.
class shared_endpoints {
  public:
    shared_endpoints(const execution_setup& setup, std::uint64_t seed_base) : setup_(setup), seed_base_(seed_base) {}
    const llm_endpoint& of(std::size_t agent) {
        const agent_spec& spec = setup_.what.workload.agents.at(agent);
        const kind of_agent(setup_.servers.url(agent), spec.url, spec.model, spec.options);
        const auto known = endpoints_.find(of_agent);
        if (known != endpoints_.end()) return known->second;
        return endpoints_.emplace(of_agent, endpoint_of(setup_, agent, seed_base_)).first->second;
    }

  private:
    using kind = std::tuple<std::string_view, std::string_view, std::string_view, server_options>;

    const execution_setup& setup_;
    const std::uint64_t seed_base_;
    std::map<kind, llm_endpoint> endpoints_;
};

/// An agent's calls, as far as memory is reserved for them.
std::size_t expected_calls(const profile& p) {
    const workload_spec& w = p.workload;
    constexpr std::size_t most = 4;
    if (w.kind == workload_kind::report) return 2;
    return w.duration_s > 0 ? most : std::min(static_cast<std::size_t>(w.calls_per_agent), most);
}

/// Room for the pieces of an agent's replies: one piece for each token, and a few more.
std::size_t expected_chunks(const profile& p, const agent_spec& a) {
    constexpr std::size_t more = 16;
    return (expected_tokens(p, a) + more) * expected_calls(p);
}

/// 0 where no agent was polled.
nanoseconds_t first_polled(const std::vector<std::unique_ptr<recorder>>& recorders) {
    nanoseconds_t first = 0;
    for (const auto& log : recorders)
        if (const nanoseconds_t at = log->record().first_polled; at != 0 && (first == 0 || at < first)) first = at;
    return first;
}

} // namespace

loaded_plugins load_plugins(registry& r, const profile& p) {
    const std::filesystem::path directory = p.source.parent_path();
    loaded_plugins out;
    out.executor = r.load(plugin_kind::executor, p.executor.plugin, directory);
    if (p.foreign) out.foreign = r.load(plugin_kind::executor, p.foreign->plugin, directory);
    if (!p.transport.plugin.empty()) out.transport = r.load(plugin_kind::transport, p.transport.plugin, directory);
    if (p.coordinator) out.coordinator = r.load(plugin_kind::coordinator, p.coordinator->plugin, directory);
    return out;
}

void execution_control::stop() {
    stopped_.store(true, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    if (running_) running_->vt->stop(running_);
}

void execution_control::attach(chm_executor* executor) {
    const std::lock_guard lock(mutex_);
    running_ = executor;
    if (running_ && stopped()) running_->vt->stop(running_);
}

namespace {

/// The group of an execution, with the records of its endpoints.
struct coordinated {
    group_setup group;
    hub_address address;
    absent_agents absent;
    group_environment env;
    std::shared_ptr<coordination_record> record = std::make_shared<coordination_record>();
    std::unique_ptr<recorder> hub_log;
    std::optional<report_group> agents; ///< of agents that call servers too

    coordinated(const profile& p, std::uint64_t number, const stage& s, think_timer& thinking)
        : group(p, number),
          absent(group.members()), env{p,       group,    s.coordinator(), s.executor(), s.transport().reactor,
                                       address, thinking, absent} {
        if (group.is_split() && (s.coordinator()->vt->flags & CHM_COORDINATOR_IN_PROCESS) != 0)
            throw std::runtime_error(fmt::format("the groups of coordinator '{}' live within one process: leave out "
                                                 "workload.coordination.here",
                                                 p.coordinator->plugin));
        record->members.resize(group.members());
        if (p.workload.kind == workload_kind::report) agents.emplace(env, record->members);
    }
    coordinated(const coordinated&) = delete;
    coordinated& operator=(const coordinated&) = delete;
};

/// Throws if nobody of the group got in: then there is nothing to record, but something to set right.
void check_group(const coordination_record& group, const std::vector<agent_record>& members) {
    const bool nobody = std::ranges::none_of(group.members, [](const endpoint_record& m) { return m.joins > 0; });
    if (nobody && !group.hub.error.empty()) throw std::runtime_error("the hub failed: " + group.hub.error);
    if (std::ranges::any_of(members, [](const agent_record& a) { return !a.requests.empty(); })) return;
    const auto failed = std::ranges::find_if(members, [](const agent_record& a) { return !a.error.empty(); });
    if (nobody && failed != members.end())
        throw std::runtime_error(fmt::format("member '{}': {}", failed->id, failed->error));
}

} // namespace

execution_record execute(const execution_setup& setup, std::span<const std::size_t> agents, std::uint64_t seed_base,
                         execution_control& control) {
    const profile& p = setup.what;
    const bool calls_servers = p.workload.kind != workload_kind::coordination;
    std::vector<std::unique_ptr<recorder>> recorders;
    permit_pool permits(p.workload.permits == 0 ? static_cast<int>(agents.size()) : p.workload.permits);
    blocking_pool blocking(blocking_threads);
    think_timer thinking;
    std::optional<shared_endpoints> endpoints;
    if (calls_servers) endpoints.emplace(setup, seed_base);
    std::optional<coordinated> group;
    execution_record out;
    out.pieces = p.measure.pieces;
    const auto new_recorder = [&](const std::string& id, std::size_t pieces) {
        auto log = std::make_unique<recorder>(id, p.measure.long_poll_ms, pieces, control.token_counter());
        if (setup.log_polls) log->record().log = std::make_shared<poll_log>();
        return log;
    };
    {
        const cost_meter cost;
        const stage s(setup);
        chm_executor* executor = s.executor();
        const auto spawn = [&](chm_task* task, std::string_view id, recorder& log) {
            if (p.measure.pieces) task = make_task_probe(task, log);
            chm_spawn_opts opts{};
            opts.size = sizeof opts;
            opts.name = sdk::str(id);
            log.record().spawned = sdk::now_ns();
            if (const chm_rc rc = executor->vt->spawn(executor, task, &opts); rc < 0) {
                task->vt->drop(task);
                throw plugin_error(fmt::format("executor '{}' refused agent '{}' (code {})", p.executor.plugin, id, rc),
                                   rc);
            }
        };
        if (p.coordinator && agents.size() == p.workload.agents.size()) {
            group.emplace(p, control.count_execution(), s, thinking);
            if (group->group.runs_here(CHM_TO_HUB)) {
                group->hub_log = new_recorder("hub", 0);
                spawn(sdk::root_task::create(run_hub(group->env, group->record->hub, *group->hub_log)), "hub",
                      *group->hub_log);
            }
        }
        for (const std::size_t i : agents) {
            const agent_spec& spec = p.workload.agents.at(i);
            if (group && !group->group.runs_here(static_cast<std::int32_t>(i))) continue;
            auto& log = *recorders.emplace_back(
                new_recorder(spec.id, p.measure.pieces && calls_servers ? expected_chunks(p, spec) : 0));
            log.tell(setup.observers);
            if (!calls_servers) {
                spawn(sdk::root_task::create(
                          run_member(group->env, static_cast<std::int32_t>(i), group->record->members[i], log)),
                      spec.id, log);
                continue;
            }
            // Beside what stays, not among what goes with the agents: see malloc_trim below.
            log.record().requests.reserve(expected_calls(p));
            const schedule_place place{i, p.workload.agents.size(),
                                       static_cast<std::uint64_t>(call_seed(seed_base, spec.id, 0))};
            agent_environment env{spec,         p.workload, endpoints->of(i), s.transport(), place, out.begin,
                                  setup.corpus, permits,    blocking,         thinking,      log,   nullptr};
            if (group) env.group = &*group->agents;
            spawn(sdk::root_task::create(run_agent(env)), spec.id, log);
        }
        control.attach(executor);
        sdk::error_buffer why;
        std::optional<thread_sampler> threads;
        if (out.pieces) threads.emplace();
        std::optional<memory_sampler> memory;
        if (p.workload.duration_s > 0) {
            out.slice_s = slice_length_s(p.workload.duration_s);
            memory.emplace(std::chrono::nanoseconds(static_cast<std::int64_t>(out.slice_s * 1e9)));
        }
        out.begin = sdk::now_ns();
        const chm_rc rc = executor->vt->run(executor, CHM_RUN_UNTIL_IDLE, why.abi());
        out.end = sdk::now_ns();
        if (threads) out.busiest = threads->finish();
        if (memory) out.memory = memory->finish();
        control.attach(nullptr);
        out.cost = cost.finish(first_polled(recorders));
        if (rc < 0 && rc != CHM_E_CANCELED)
            throw plugin_error(
                fmt::format("executor '{}' failed to run: {}", p.executor.plugin, on_one_line(why.text())), rc);
    }
    // The agents are gone, but between what they have left: otherwise all that the results need would come on top.
    malloc_trim(0);
    out.agents.reserve(recorders.size());
    for (auto& log : recorders) {
        agent_record& record = log->record();
        if (record.end == 0 && record.error.empty())
            record.error = control.stopped() ? "stopped before it was done" : "its task ended before its work was done";
        out.agents.push_back(std::move(record));
    }
    if (group) {
        out.coordination = group->record;
        if (!control.stopped()) check_group(*group->record, out.agents);
    }
    return out;
}

} // namespace chimera::host
