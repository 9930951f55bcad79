// A profile and a run made by hand.
#pragma once

#include "measure/timeline.hpp"
#include "profile/profile.hpp"

#include <memory>
#include <string>

namespace chimera::test {

inline host::profile sample_profile() {
    host::profile p;
    p.name = "sample";
    p.executor.plugin = "thread_pool";
    p.transport.plugin = "socket";
    for (const char* id : {"a", "b"}) {
        host::agent_spec agent;
        agent.id = agent.label = id;
        agent.model = "m";
        agent.url = "http://127.0.0.1:1";
        p.workload.agents.push_back(agent);
    }
    p.workload.kind = host::workload_kind::calls;
    p.workload.prompts = {"hello"};
    p.measure.runs = 1;
    return p;
}

inline host::agent_record sample_agent(const char* id, bool good = true) {
    host::agent_record a;
    a.id = id;
    a.spawned = a.first_polled = a.permit_asked = a.start = 1'000'000'000;
    a.end = 1'100'000'000;
    host::request_record r;
    r.call = "call_0";
    r.prompt = "hello";
    r.response = "world";
    r.status = 200;
    r.intended = r.dispatched = r.connected = r.sent = 1'000'000'000;
    r.first_byte = r.first_token = 1'010'000'000;
    r.last_token = r.done = 1'100'000'000;
    r.content_records = 10;
    if (!good) r.error = "http://127.0.0.1:1: reset";
    a.requests.push_back(r);
    return a;
}

inline host::run_record sample_run(bool good = true) {
    host::run_record run;
    run.number = 1;
    for (const char* id : {"a", "b"}) {
        host::execution_record alone;
        alone.begin = 1'000'000'000;
        alone.end = 1'100'000'000;
        alone.agents.push_back(sample_agent(id));
        run.baseline.push_back(alone);
    }
    run.concurrent.begin = 1'000'000'000;
    run.concurrent.end = 1'100'000'000;
    run.concurrent.agents.push_back(sample_agent("a"));
    run.concurrent.agents.push_back(sample_agent("b", good));
    return run;
}

/// Where sample_run() comes from, with a server of this version.
inline std::shared_ptr<const host::campaign_provenance> sample_origin(const std::string& server_version = "0.5.1") {
    auto out = std::make_shared<host::campaign_provenance>();
    out->begun = "2025-11-14T09:30:00Z";
    out->machine.cpu_model = "AMD EPYC 7B13";
    out->machine.usable_cpus = 16;
    out->build = {"0.1.0", "1f3c9a0b7d2e", "GCC 12.2.0", "Release"};
    out->plugins = {{"fiber", "0.1.0", "/lib/fiber.so", std::string(64, 'a')}};
    out->servers = {{"http://127.0.0.1:1", "Ollama", server_version, {{"m", std::string(64, 'b'), {}, {}}}}};
    return out;
}

} // namespace chimera::test
