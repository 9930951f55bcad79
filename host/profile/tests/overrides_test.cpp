// What the command line changes.
#include "test_schema.hpp"

using namespace test_schema;

namespace {

const std::string bridged = R"(
[executor]
plugin = "bridge"
options = { workers = 3, await = "wake" }
[transport]
plugin = "socket"
options.read_size = 4096
)";

} // namespace

TEST_CASE("--set reaches every kind of key, and makes tables that are missing") {
    const auto p =
        with_sets(smallest, {"measure.runs=3", "measure.baseline=false", "measure.long_poll_ms=2.5", "name=other",
                             "backend.api=openai", "workload.permits=1", "executor.options.workers=4",
                             "executor.options.spin.share=1", "backend.simulator.decode_tokens_per_s=50"});
    CHECK(p.measure.runs == 3);
    CHECK_FALSE(p.measure.baseline);
    CHECK(p.measure.long_poll_ms == 2.5);
    CHECK(p.name == "other");
    CHECK(p.backend.api == llm_api::openai);
    CHECK(p.workload.permits == 1);
    CHECK(value_of(p.executor.options, "workers") == "4");
    CHECK(value_of(p.executor.options, "spin.share") == "1");
    CHECK(value_of(p.backend.simulator, "decode_tokens_per_s") == "50");
}

TEST_CASE("--set names an agent by index or by id, and appends just past the end") {
    const auto p =
        with_sets(smallest, {"workload.agents.0.model=llama3", "workload.agents.insight.options.num_ctx=1024",
                             "workload.agents.2.id=third", "workload.agents.third.label=Third One"});
    REQUIRE(p.workload.agents.size() == 3);
    CHECK(p.workload.agents[0].model == "llama3");
    CHECK(p.workload.agents[0].options.num_ctx == 512);
    CHECK(p.workload.agents[1].options.num_ctx == 1024);
    CHECK(p.workload.agents[2].id == "third");
    CHECK(p.workload.agents[2].label == "Third One");
    CHECK(p.workload.agents[2].options == server_options{});
    CHECK(faults_of_sets(smallest, {"workload.agents.nobody.model=x"}) ==
          "--set workload.agents.nobody.model=x: workload.agents has no element \"nobody\"; name it by its id or by an "
          "index from 0 to 2");
}

TEST_CASE("--set takes tables and arrays as TOML, and one URL as it is") {
    CHECK(with_sets(smallest, {"workload.agents=[{ id = \"only\" }]"}).workload.agents.size() == 1);
    CHECK(with_sets(smallest, {"executor={ plugin = \"bridge\", options = { workers = 5 } }"}).executor.plugin ==
          "bridge");
    CHECK(with_sets(smallest, {"backend.urls=[\"http://a\", \"http://b\"]"}).backend.urls.size() == 2);
    CHECK(with_sets(smallest, {"backend.urls=http://a:1"}).backend.urls == std::vector<std::string>{"http://a:1"});
}

TEST_CASE("another plugin by --set drops the options that the file gave to the old one, and keeps those of --set") {
    auto p = with_sets(bridged, {"executor.options.workers=7", "executor.plugin=pool", "executor.options.steal=false"});
    CHECK(p.executor.plugin == "pool");
    CHECK(value_of(p.executor.options, "workers") == "7");
    CHECK(value_of(p.executor.options, "steal") == "false");
    CHECK(value_of(p.transport.options, "read_size") == "4096");

    p = with_sets(bridged, {"executor.plugin=pool"});
    CHECK(value_of(p.executor.options, "workers") == "2"); // pool's default, not the 3 meant for bridge

    p = with_sets(bridged, {"executor.plugin=bridge"}); // the same one
    CHECK(value_of(p.executor.options, "workers") == "3");
    CHECK(value_of(p.executor.options, "await") == "wake");

    CHECK(faults_of_sets(bridged, {"executor.plugin=pool", "executor.options.await=wake"}) ==
          "--set executor.options.await=wake: unknown option; known: \"workers\", \"steal\", \"spin.share\", "
          "\"spin.label\"");
}

TEST_CASE("--set names itself where it is wrong") {
    CHECK(faults_of_sets(smallest, {"executor.plgin=x"}) ==
          "--set executor.plgin=x: unknown key; did you mean \"plugin\"?");
    CHECK(faults_of_sets(smallest, {"mesure.runs=1"}) == "--set mesure.runs=1: unknown key; did you mean \"measure\"?");
    CHECK(faults_of_sets(smallest, {"measure.runs=many"}) ==
          "--set measure.runs=many: \"many\" is not an integer from 1 to 10000");
    CHECK(faults_of_sets(smallest, {"backend.api=olama"}) ==
          "--set backend.api=olama: \"olama\" is not a choice; did you mean \"ollama\"?");
    for (const std::string malformed : {"measure.runs", "=3", "measure..runs=3", ".=1", ""}) {
        CAPTURE(malformed);
        CHECK(faults_of_sets(smallest, {malformed}).find("write it as key=value") != std::string::npos);
    }
    CHECK(faults_of_sets(smallest, {"executor.plugin.deeper=1"}) ==
          "--set executor.plugin.deeper=1: executor.plugin is a string, it has no \"deeper\" in it");
    CHECK(faults_of_sets(smallest, {"measure=3"}) == "--set measure=3: is an integer; give a table: measure = { ... }");
}

TEST_CASE("the other switches change the file's values, and a --set wins over them") {
    profile_overrides o;
    o.model = "qwen";
    o.runs = 9;
    o.warmup = 0;
    o.seed = 42;
    auto p = parse(smallest + "[measure]\nruns = 2\n[[workload.agents]]\nid = \"a\"\nmodel = \"m\"\n", o);
    CHECK(p.workload.agents[0].model == "qwen");
    CHECK(p.measure.runs == 9);
    CHECK(p.measure.warmup == 0);
    CHECK(p.measure.seed == 42);

    o.sets = {"measure.runs=4", "workload.agents.collector.model=special"};
    p = parse(smallest, o);
    CHECK(p.measure.runs == 4);
    CHECK(p.workload.agents[0].model == "special");
    CHECK(p.workload.agents[1].model == "qwen");

    o = {};
    o.runs = 0;
    CHECK(faults(smallest, o) == "--runs 0: 0 is out of range; give an integer from 1 to 10000");
}

TEST_CASE("--url replaces every URL of the file, is shared out in turn, and leaves the simulator out") {
    const std::string file = smallest + R"([backend]
urls = ["http://old"]
[[workload.agents]]
id = "a"
url = "http://older"
[[workload.agents]]
id = "b"
[[workload.agents]]
id = "c"
)";
    profile_overrides o;
    o.urls = {"http://127.0.0.1:11434", "https://example.org/ollama"};
    auto p = parse(file, o);
    CHECK(p.backend.urls == o.urls);
    CHECK(p.workload.agents[0].url == o.urls[0]);
    CHECK(p.workload.agents[1].url == o.urls[1]);
    CHECK(p.workload.agents[2].url == o.urls[0]);
    CHECK_FALSE(p.needs_simulator());

    o.urls = {"http://[::1]:8080"};
    p = parse(smallest + "[backend.simulator]\nslots = 1\n", o);
    CHECK(p.workload.agents[0].url == o.urls[0]);
    CHECK(p.workload.agents[1].url == o.urls[0]);
    CHECK(p.backend.simulator.empty());

    o.sets = {"workload.agents.insight.url=http://mine"};
    CHECK(parse(smallest, o).workload.agents[1].url == "http://mine");

    o = {};
    o.urls = {"ftp://x"};
    CHECK(faults(smallest, o) == "--url ftp://x: has the scheme \"ftp\"; give http://host:port, https://host or "
                                 "http+unix://%2Frun%2Fserver.sock");
}

TEST_CASE("a changed kind of workload drops the file's keys of the other kind, but not those of --set") {
    const std::string file = smallest + "[workload]\nkind = \"calls\"\ncalls_per_agent = 5\nprompts = [\"Hi\"]\n";
    CHECK(parse(file).workload.calls_per_agent == 5);
    const auto p = with_sets(file, {"workload.kind=report"});
    CHECK(p.workload.kind == workload_kind::report);
    CHECK(faults_of_sets(file, {"workload.kind=report", "workload.prompts=[\"x\"]"})
              .find("needs workload.kind = \"calls\"") != std::string::npos);
}

TEST_CASE("no secret of the command line comes into a message") {
    auto said = faults_of_sets(smallest, {"backend.api_key=sk-very-secret"});
    CHECK(said.find("--api-key") != std::string::npos);
    CHECK(said.find("sk-very-secret") == std::string::npos);
    profile_overrides o;
    o.urls = {"http://me:pass-word@host"};
    said = faults(smallest, o);
    CHECK(said.find("contains a user name or a password") != std::string::npos);
    CHECK(said.find("pass-word") == std::string::npos);
    said = faults_of_sets(smallest, {"backend.urls=http://me:pass-word@host"});
    CHECK(said.find("pass-word") == std::string::npos);
}
