#include "run/ask_servers.hpp"

#include "process/secrets.hpp"
#include "provenance/server_answers.hpp"
#include "run/stage.hpp"

#include <chimera/sdk/exchange.hpp>
#include <chimera/sdk/task.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace chimera::host {
namespace {

/// Of one answer. A list of hundreds of models has some 400 KB.
constexpr std::size_t most_bytes = std::size_t{4} << 20U;

/// One server, and how to reach it.
struct asked_server {
    std::string url;
    std::string path;      ///< what backend.path puts before the protocol's own path; may be empty
    llm_endpoint endpoint; ///< for its headers
    server_answers answers;
    std::vector<std::string> models;
    bool answered = false;
    std::string fault; ///< of the first question that got no answer

    /// Where a path such as "/api/version" is. A base URL that ends in /v1 is meant for OpenAI's paths only.
    request_target target(std::string_view asked) const {
        std::string_view base = url;
        while (base.ends_with('/')) base.remove_suffix(1);
        if (!asked.starts_with("/v1/") && base.ends_with("/v1")) base.remove_suffix(3);
        return target_of(base, asked, path.empty() ? std::string() : path + std::string(asked));
    }
};

std::vector<asked_server> servers_of(const execution_setup& setup) {
    const backend_spec& backend = setup.what.backend;
    std::vector<asked_server> out;
    std::vector<std::vector<std::string>> models;
    std::vector<std::string> urls, names; // names: of the identity
    for (std::size_t i = 0; i < setup.what.workload.agents.size(); ++i) {
        const agent_spec& agent = setup.what.workload.agents[i];
        const std::string name = agent.url.empty() ? "simulator" : without_url_secrets(agent.url);
        const std::string& url = setup.servers.url(i);
        const auto known = agent.url.empty() ? std::ranges::find(names, name) - names.begin()
                                             : std::ranges::find(urls, url) - urls.begin();
        const auto at = static_cast<std::size_t>(known);
        if (at == urls.size()) {
            urls.push_back(url);
            names.push_back(name);
            models.emplace_back();
        }
        if (std::ranges::find(models[at], agent.model) == models[at].end()) models[at].push_back(agent.model);
    }
    llm_endpoint endpoint;
    endpoint.api_key = setup.api_key;
    endpoint.key_header = backend.key_header;
    for (const named_text& header : backend.headers) endpoint.headers.emplace_back(header.name, header.text);
    std::string path;
    if (const std::string_view protocols = path_of(backend.api); backend.path.ends_with(protocols))
        path = backend.path.substr(0, backend.path.size() - protocols.size());
    for (std::size_t i = 0; i < urls.size(); ++i)
        out.push_back(
            {urls[i], path, endpoint, server_answers(backend.api, names[i], models[i]), models[i], false, {}});
    return out;
}

/// The body of an answer with status 200; nothing where it did not come, whatever the reason.
sdk::task<std::optional<std::string>> get(sdk::session& session, asked_server& server, std::string path) {
    try {
        const auto headers = headers_of(server.endpoint, false);
        std::vector<chm_kv> fields;
        for (const auto& [name, value] : headers) fields.push_back({sdk::str(name), sdk::str(value)});
        chm_request request{};
        request.size = sizeof request;
        request.method = sdk::str("GET");
        request.path = sdk::str(path);
        request.headers = fields.data();
        request.n_headers = static_cast<std::uint32_t>(fields.size());
        sdk::exchange x = session.start(request);
        auto arriving_head = x.head();
        const chm_head head = co_await arriving_head;
        const int status = head.status;
        server.answered = true;
        std::string body;
        for (;;) { // to its end whatever the status is: the connection can then serve the next question
            auto arriving = x.chunk();
            const std::optional<std::string_view> piece = co_await arriving;
            if (!piece) break;
            if (body.size() + piece->size() > most_bytes) co_return std::nullopt;
            body += *piece;
        }
        if (status != 200) co_return std::nullopt;
        co_return body;
    } catch (const std::exception& e) {
        if (server.fault.empty()) server.fault = e.what();
        co_return std::nullopt;
    }
}

sdk::task<void> ask(asked_server& server, const llm_transport& by) {
    const std::string origin = server.target("/").origin;
    chm_session_args args{};
    args.size = sizeof args;
    args.executor = by.executor;
    args.reactor = by.reactor;
    args.base_url = sdk::str(origin);
    try {
        sdk::session session(by.transport, args);
        while (const std::optional<std::string_view> path = server.answers.next()) {
            auto asking = get(session, server, server.target(*path).path);
            const std::optional<std::string> body = co_await asking;
            if (body) server.answers.take(*body);
        }
    } catch (const std::exception& e) { // the transport refuses the URL
        if (server.fault.empty()) server.fault = e.what();
    }
}

/// Stops an executor when its time is over.
class time_limit {
  public:
    time_limit(chm_executor* executor, std::chrono::milliseconds limit)
        : thread_([this, executor, limit](const std::stop_token& over) {
              std::unique_lock lock(mutex_);
              changed_.wait_for(lock, over, limit, [] { return false; });
              if (!over.stop_requested()) executor->vt->stop(executor);
          }) {}

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::jthread thread_;
};

/// Fills in the servers' answers. Throws when the executor cannot be used: the first run says why.
void ask_all(std::vector<asked_server>& servers, const execution_setup& setup, execution_control& control,
             std::chrono::milliseconds limit) {
    const stage s(setup);
    chm_executor* executor = s.executor();
    for (asked_server& server : servers) {
        chm_task* task = sdk::root_task::create(ask(server, s.transport()));
        chm_spawn_opts options{};
        options.size = sizeof options;
        options.name = sdk::str("ask");
        if (executor->vt->spawn(executor, task, &options) < 0) task->vt->drop(task);
    }
    control.attach(executor);
    {
        const time_limit ends(executor, limit);
        sdk::error_buffer ignored;
        executor->vt->run(executor, CHM_RUN_UNTIL_IDLE, ignored.abi());
    }
    control.attach(nullptr);
}

} // namespace

std::vector<server_told> question_servers(const execution_setup& setup, execution_control& control,
                                          std::chrono::milliseconds limit) {
    std::vector<asked_server> servers = servers_of(setup);
    std::string cannot_ask;
    try {
        ask_all(servers, setup, control, limit);
    } catch (const std::exception& e) { // see ask_all
        cannot_ask = e.what();
    }
    std::vector<server_told> out;
    for (const asked_server& server : servers) {
        server_told told{server.answers.identity(), server.answered, {}, {}, server.answers.offered()};
        if (!told.answered)
            told.fault = !cannot_ask.empty()     ? cannot_ask
                         : !server.fault.empty() ? server.fault
                                                 : fmt::format("no answer within {} ms", limit.count());
        for (const std::string& model : server.models) told.models.push_back({model, server.answers.has(model)});
        out.push_back(std::move(told));
    }
    return out;
}

std::vector<server_identity> ask_servers(const execution_setup& setup, execution_control& control,
                                         std::chrono::milliseconds limit) {
    std::vector<server_identity> out;
    for (server_told& told : question_servers(setup, control, limit)) out.push_back(std::move(told.identity));
    return out;
}

} // namespace chimera::host
