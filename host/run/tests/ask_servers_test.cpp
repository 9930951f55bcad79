// Asks servers that a test scripts, over a real executor and real transports.
#include "model_server.hpp"
#include "run/ask_servers.hpp"
#include "temporary_folder.hpp"

#include "profile/load.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

using namespace chimera::host;
using namespace std::chrono_literals;
using chimera::test::asked;
using chimera::test::model_server;
using chimera::test::reply;
using chimera::test::temporary_folder;

namespace {

void no_generation(const asked&, reply& r) { r.whole("500 Internal Server Error", "{}"); }

/// Loaded before a test starts a server: a plugin is first tried in a forked child, which wants no other thread.
registry& plugins() {
    static registry& all = []() -> registry& {
        auto& r = *new registry;
        r.load(plugin_kind::executor, "thread_pool");
        for (const char* transport : {"socket", "curl"}) r.load(plugin_kind::transport, transport);
        return r;
    }();
    return all;
}
[[maybe_unused]] const bool loaded_first = (plugins(), true);

/// A profile with an agent for each URL, and what asking its servers gives.
class asking {
  public:
    asking(const std::string& api, const std::vector<std::string>& urls, const std::string& transport = "socket",
           const std::string& backend = {}) {
        std::string text = "[executor]\nplugin = \"thread_pool\"\noptions = { workers = 1 }\n[transport]\nplugin = \"" +
                           transport + "\"\n[backend]\napi = \"" + api + "\"\n" + backend +
                           "[workload]\nkind = \"calls\"\nprompts = [\"Why?\"]\n";
        for (std::size_t i = 0; i < urls.size(); ++i)
            text += "[[workload.agents]]\nid = \"a" + std::to_string(i) + "\"\nmodel = \"gemma3\"\nurl = \"" + urls[i] +
                    "\"\n";
        folder_.write("case.toml", text);
    }

    std::vector<server_identity> operator()(std::chrono::milliseconds limit = 2s, const std::string& key = {}) {
        const schema_lookup lookup([](plugin_kind kind, const std::string& name, const std::filesystem::path& at) {
            return schema_answer{plugins().load(kind, name, at)->options(kind), {}};
        });
        const profile p = load_profile(folder_ / "case.toml", lookup);
        const loaded_plugins loaded = load_plugins(plugins(), p);
        const server_pool servers(p, "/nowhere");
        execution_setup setup{p, plugins(), loaded, servers, key};
        const auto begin = std::chrono::steady_clock::now();
        auto out = ask_servers(setup, control, limit);
        took = std::chrono::steady_clock::now() - begin;
        return out;
    }

    execution_control control;
    std::chrono::nanoseconds took{};

  private:
    temporary_folder folder_;
};

void like_ollama(const asked& a, reply& r) {
    if (a.line.starts_with("GET /api/version "))
        r.whole("200 OK", R"({"version":"0.12.6"})");
    else if (a.line.starts_with("GET /api/tags "))
        r.whole("200 OK", R"({"models":[{"name":"gemma3:latest","digest":"a2af",)"
                          R"("details":{"parameter_size":"4.3B","quantization_level":"Q4_K_M"}}]})");
    else
        r.whole("404 Not Found", "404 page not found", "text/plain");
}

} // namespace

TEST_CASE("a server that tells everything, over each transport") {
    for (const std::string transport : {"socket", "curl"}) {
        CAPTURE(transport);
        const model_server server(no_generation, like_ollama);
        asking ask("ollama", {server.url()}, transport);
        CHECK(ask() ==
              std::vector<server_identity>{{server.url(), "Ollama", "0.12.6", {{"gemma3", "a2af", "4.3B", "Q4_K_M"}}}});
        CHECK(server.requests() == 0); // nothing was generated
    }
}

TEST_CASE("each server is asked once, all at the same time, with the key and the headers of the run") {
    std::mutex mutex;
    std::vector<std::string> heads;
    const auto about = [&](const asked& a, reply& r) {
        {
            const std::lock_guard lock(mutex);
            heads.push_back(a.line + "\r\n" + a.headers);
        }
        like_ollama(a, r);
    };
    const model_server one(no_generation, about), other(no_generation, about);
    asking ask("ollama", {one.url(), other.url(), one.url()}, "socket",
               "key_header = \"X-Api-Key\"\nheaders = { X-Team = \"seven\" }\n");
    const auto servers = ask(2s, "sk-of-the-run");
    REQUIRE(servers.size() == 2);
    CHECK(servers[0].url == one.url());
    CHECK(servers[1].url == other.url());
    const std::lock_guard lock(mutex);
    CHECK(heads.size() == 4);
    for (const std::string& head : heads) {
        CAPTURE(head);
        CHECK(head.find("X-Api-Key: sk-of-the-run\r\n") != std::string::npos);
        CHECK(head.find("X-Team: seven\r\n") != std::string::npos);
    }
}

TEST_CASE("what a server refuses, redirects or does not know is absent") {
    for (const char* status : {"401 Unauthorized", "404 Not Found", "500 Internal Server Error", "302 Found"}) {
        CAPTURE(status);
        std::atomic<int> elsewhere{0};
        const model_server server(no_generation, [&](const asked& a, reply& r) {
            if (a.line.starts_with("GET /elsewhere")) ++elsewhere;
            r.whole(status, R"({"version":"1"})", "application/json", {"Location: /elsewhere"});
        });
        asking ask("openai", {server.url()});
        CHECK(ask() == std::vector<server_identity>{{server.url(), {}, {}, {{"gemma3", {}, {}, {}}}}});
        CHECK(elsewhere == 0);
    }
}

TEST_CASE("garbage, an endless answer and a broken one are absent, and the next question is asked all the same") {
    const std::vector<model_server::script> scripts{
        [](const asked&, reply& r) { r.whole("200 OK", "\x01\x02 not JSON"); },
        [](const asked&, reply& r) {
            r.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
            r.close();
        },
        [](const asked&, reply& r) { r.close(); },
        [](const asked&, reply& r) {
            r.begin("application/json");
            const std::string piece(1U << 20U, ' ');
            for (int i = 0; i < 64 && !r.client_gone(); ++i) r.chunk(piece);
            r.close();
        }};
    for (std::size_t i = 0; i < scripts.size(); ++i) {
        CAPTURE(i);
        const model_server server(no_generation, [&](const asked& a, reply& r) {
            a.line.starts_with("GET /api/tags ") ? like_ollama(a, r) : scripts[i](a, r);
        });
        asking ask("ollama", {server.url()});
        const auto servers = ask();
        REQUIRE(servers.size() == 1);
        CHECK_FALSE(servers[0].version);
        CHECK(servers[0].models[0].digest == "a2af");
    }
}

TEST_CASE(
    "a server that hangs costs the limit and nothing of the others' answers; one that is not there costs nothing") {
    const model_server hanging(no_generation, [](const asked&, reply&r) { r.pause(5000); }),
        other(no_generation, like_ollama);
    asking ask("ollama", {hanging.url(), other.url(), "http://127.0.0.1:1"});
    const auto servers = ask(300ms);
    CHECK(ask.took >= 300ms);
    CHECK(ask.took < 3s);
    REQUIRE(servers.size() == 3);
    CHECK_FALSE(servers[0].software);
    CHECK(servers[1].software == "Ollama");
    CHECK_FALSE(servers[2].software);
    asking nobody("ollama", {"http://127.0.0.1:1"});
    nobody(10s);
    CHECK(nobody.took < 5s);
}

TEST_CASE("a campaign that was stopped asks nobody") {
    const model_server hanging(no_generation, [](const asked&, reply& r) { r.pause(5000); });
    asking ask("ollama", {hanging.url()});
    ask.control.stop();
    ask(10s);
    CHECK(ask.took < 5s);
}

TEST_CASE("paths follow the base URL and backend.path as the agents' requests do") {
    std::mutex mutex;
    std::vector<std::string> lines;
    const model_server server(no_generation, [&](const asked& a, reply& r) {
        const std::lock_guard lock(mutex);
        lines.push_back(a.line.substr(4, a.line.rfind(' ') - 4));
        r.whole("404 Not Found", "{}");
    });
    const auto paths_of = [&](asking& ask) {
        ask();
        const std::lock_guard lock(mutex);
        return std::exchange(lines, {});
    };
    using texts = std::vector<std::string>;
    asking below_v1("openai", {server.url() + "/v1"}),
        own_path("openai", {server.url()}, "socket", "path = \"/proxy/v1/chat/completions\"\n");
    CHECK(paths_of(below_v1) == texts{"/api/version", "/v1/models", "/version"});
    CHECK(paths_of(own_path) == texts{"/proxy/api/version", "/proxy/v1/models", "/proxy/version"});
}
