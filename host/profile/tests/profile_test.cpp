// What a profile comes to once it is resolved, and how it is printed and named.
#include "profile/document.hpp"
#include "profile/profile_keys.hpp"
#include "test_schema.hpp"
#include <fstream>
#include <set>

using namespace test_schema;

namespace {

namespace fs = std::filesystem;

const std::string everything = R"(name = "all"
description = "Quotes \" and \\ and a tab\t, ümlauts"
[executor]
plugin = "bridge"
options = { workers = 2, await = "channel" }
[foreign]
plugin = "pool"
options = { spin = { share = 0.25, label = "12" } }
[transport]
plugin = "socket"
[backend]
api = "openai"
[backend.simulator]
instances = 0
shared_gpu = true
contention = 0.5
reply_range = ["collector=300:700", "insight=500:800"]
fault = ["reset,after=5"]
[workload]
permits = 3
[[workload.agents]]
id = "a"
label = "Agent A"
model = "m:1"
options = { num_gpu = 80, num_ctx = 512, temperature = 0.7, top_p = 0.9, top_k = 40, repeat_penalty = 1.1, num_predict = -1, seed = 9 }
[[workload.agents]]
id = "b"
url = "http://127.0.0.1:1"
[measure]
runs = 1
warmup = 0
seed = 9223372036854775807
baseline = false
long_poll_ms = 0.5
time_limit_s = 1e5
[alerts]
ttft_p95_ms = 1000
error_rate_pct = 0.5
fail = true
)";

std::string agents(const std::string& first, const std::string& second) {
    return smallest + "[[workload.agents]]\nid = \"a\"\n" + first + "\n[[workload.agents]]\nid = \"b\"\n" + second +
           "\n";
}

} // namespace

TEST_CASE("what is left out has its default, and every option of a plugin has a value") {
    const auto p = parse(smallest);
    CHECK(p.name == "p");
    CHECK(p.source == fs::absolute("p.toml"));
    CHECK(p.executor.plugin == "pool");
    CHECK(p.executor.options == std::vector<option_value>{{"workers", "2", CHM_OPT_INT},
                                                          {"steal", "true", CHM_OPT_BOOL},
                                                          {"spin.share", "0.5", CHM_OPT_FLOAT},
                                                          {"spin.label", "", CHM_OPT_STRING}});
    CHECK_FALSE(p.foreign);
    CHECK(p.measure == measure_spec{}); // the struct's own initial values are those of the table
    CHECK(p.workload.kind == workload_kind::report);
    CHECK(p.workload.permits == 2);
    CHECK(p.workload.calls_per_agent == 1);
    REQUIRE(p.workload.agents.size() == 2);
    const auto& collector = p.workload.agents[0];
    CHECK(collector.id == "collector");
    CHECK(collector.label == "DataCollector");
    CHECK(collector.model == "gemma3:latest");
    CHECK(collector.options.num_gpu == 80);
    CHECK(collector.options.num_ctx == 512);
    CHECK(collector.options.temperature == 1.0);
    CHECK_FALSE(collector.options.seed);
    CHECK(p.workload.agents[1].label == "InsightAgent");
    CHECK(p.needs_simulator());
    CHECK(value_of(p.backend.simulator, "decode_tokens_per_s") == "100");
    CHECK(value_of(p.backend.simulator, "fault") == "(none)");
}

TEST_CASE("everything that a profile can say arrives") {
    const auto p = parse(everything);
    CHECK(p.description == "Quotes \" and \\ and a tab\t, ümlauts");
    CHECK(value_of(p.executor.options, "await") == "channel");
    REQUIRE(p.foreign);
    CHECK(value_of(p.foreign->options, "spin.share") == "0.25");
    CHECK(value_of(p.foreign->options, "spin.label") == "12");
    CHECK(p.backend.api == llm_api::openai);
    CHECK(p.backend.shared_gpu);
    CHECK(value_of(p.backend.simulator, "contention") == "0.5");
    const auto n = p.backend.simulator.size();
    CHECK(p.backend.simulator[n - 3] == option_value{"reply_range", "collector=300:700", CHM_OPT_STRING});
    CHECK(p.backend.simulator[n - 2] == option_value{"reply_range", "insight=500:800", CHM_OPT_STRING});
    CHECK(p.backend.simulator[n - 1] == option_value{"fault", "reset,after=5", CHM_OPT_STRING});
    const server_options asked{80, 512, 40, -1, 9, 0.7, 0.9, 1.1};
    CHECK(p.workload.agents[0].options == asked);
    CHECK(p.workload.agents[1].label == "b");
    CHECK(p.workload.agents[1].url == "http://127.0.0.1:1");
    CHECK(p.measure.seed == 9223372036854775807u);
    CHECK(p.measure.time_limit_s == 1e5);
    CHECK(p.alerts.ttft_p95_ms == 1000);
    CHECK(p.alerts.error_rate_pct == 0.5);
    CHECK_FALSE(p.alerts.itl_p99_ms);
    CHECK(p.alerts.fail);
}

TEST_CASE("the printed profile loads to the same profile, from anywhere") {
    const std::vector<std::string> texts = {
        smallest,
        everything,
        agents("url = \"http://x\"", "url = \"https://y/z\""),
        smallest + "[workload]\nkind = \"calls\"\ncalls_per_agent = 3\nprompts = [\"one\\ntwo\", \"\\u0007\"]\n",
        smallest + "[backend]\nurls = [\"http://x\"]\n",
        smallest + "[backend.simulator]\ninstances = 1\n",
        smallest + "[backend.simulator]\nspeeds = [1, 0.25]\n[workload]\nkind = \"calls\"\narrivals = \"poisson\"\n"
                   "rate_per_s = 5\nduration_s = 2\nramp_ms = 10\n[measure]\nbaseline = false\n",
        smallest +
            fmt::format("[workload]\ncorpus = \"profiles\"\nanalysis_template = \"{0}\"\nreport_template = \"{0}\"\n"
                        "[[workload.agents]]\nid = \"a\"\nprompt_template = \"{0}\"\n",
                        "CMakeLists.txt"),
    };
    for (const auto& text : texts) {
        const fs::path source = fs::path(CHIMERA_SOURCE_DIR) / "p.toml";
        const auto p = parse_profile(text, source, lookup);
        const auto printed = to_toml(p);
        CAPTURE(printed);
        const auto again = parse_profile(printed, "/elsewhere/resolved.toml", lookup);
        CHECK(again == p);
        CHECK(to_toml(again) == printed);
        CHECK(config_hash(again) == config_hash(p));
    }
}

TEST_CASE("paths are relative to the profile's folder, or to the working directory when typed") {
    const auto pool = [](plugin_kind kind, const std::string& plugin, const fs::path& folder) -> schema_answer {
        CHECK(folder == "/opt");
        return lookup(kind, kind == plugin_kind::executor ? "pool" : plugin, folder);
    };
    const std::string text = "[executor]\nplugin = \"./x/../pool.so\"\n[transport]\nplugin = \"socket\"\n";
    CHECK(parse_profile(text, "/opt/p.toml", pool).executor.plugin == "/opt/pool.so");
    profile_overrides o;
    o.sets = {"executor.plugin=build/pool.so"};
    CHECK(parse_profile(text, "/opt/p.toml", pool, o).executor.plugin == fs::current_path() / "build/pool.so");
    o.sets = {"workload.corpus=."};
    CHECK(parse_profile(text, "/opt/p.toml", pool, o).workload.corpus == fs::current_path() / "");
}

TEST_CASE("all plugins of a profile are announced before the first is asked for") {
    std::vector<std::string> told;
    const schema_lookup both(
        [&](plugin_kind kind, const std::string& plugin, const fs::path& folder) {
            CHECK(told == std::vector<std::string>{"bridge", "/opt/pool.so", "socket"});
            return lookup(kind, plugin, folder);
        },
        [&](std::span<const std::string> plugins, const fs::path& folder) {
            CHECK(told.empty());
            CHECK(folder == "/opt");
            told.assign(plugins.begin(), plugins.end());
        });
    parse_profile(
        "[executor]\nplugin = \"bridge\"\n[foreign]\nplugin = \"./pool.so\"\n[transport]\nplugin = \"socket\"\n",
        "/opt/p.toml", both);
    CHECK(told.size() == 3);
}

TEST_CASE("the hash changes with what is run, and not with how often or what it is called in words") {
    const auto hash = [](std::vector<std::string> sets) { return config_hash(with_sets(everything, std::move(sets))); };
    const auto plain = hash({});
    CHECK(plain.size() == 16);
    CHECK(plain.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(hash({"measure.runs=7", "measure.warmup=3", "description=another"}) == plain);
    CHECK(hash({"alerts.ttft_p95_ms=1", "alerts.e2e_p95_ms=1", "alerts.fail=false"}) == plain);
    std::set<std::string> seen = {plain};
    for (const std::string change :
         {"name=x", "executor.options.workers=3", "foreign.options.steal=false", "transport.options.read_size=1",
          "backend.api=ollama", "backend.max_reply_bytes=1024", "backend.simulator.seed=2",
          "backend.simulator.shared_gpu=false", "workload.permits=1", "workload.agents.a.model=x",
          "workload.agents.a.options.num_ctx=1024", "measure.seed=1", "measure.baseline=true"}) {
        CAPTURE(change);
        CHECK(seen.insert(hash({change})).second);
    }
}

TEST_CASE("a configuration keeps its hash from one build to the next") {
    // Results are found by it. A key that is added changes it, and with it what an interrupted sweep can resume.
    profile p;
    p.name = "a";
    p.executor = {"pool", {{"workers", "2", CHM_OPT_INT}}};
    p.transport.plugin = "socket";
    CHECK(config_hash(p) == "4798601bc9bb7503");
}

TEST_CASE("a configuration is named after its agents' options") {
    const auto name = [](const std::string& text) { return config_name(parse(text)); };
    const std::string tuned = "options = { num_gpu = 80, num_ctx = 512, temperature = 1.0 }";
    CHECK(name(smallest) == "chimera_homo_gpu80_ctx512");
    CHECK(name(agents("", tuned)) == "baseline_vs_chimera_gpu80_ctx512");
    CHECK(name(agents(tuned, "options = { num_gpu = 100, num_ctx = 1024 }")) == "chimera_hetero_gpu80-100_ctx512-1024");
    CHECK(name(agents("", "")) == "baseline");
    CHECK(name(smallest +
               "[[workload.agents]]\nid = \"a\"\noptions = { num_gpu = 60, num_ctx = 256, temperature = 0.8 }\n") ==
          "single_gpu60_ctx256_temp0.8");
    CHECK(name(smallest + "[[workload.agents]]\nid = \"a\"\n") == "single_baseline");
    CHECK(name(agents("options.top_k = 3", "options.top_k = 3")) == "chimera_homo");
}

TEST_CASE("the table of keys is sound: every key has help, a valid default, and prints what it stores") {
    const auto check = [](const auto& keys) {
        std::set<std::string> names;
        for (const auto& key : keys) {
            CAPTURE(key.option.name);
            CHECK(names.insert(key.option.name).second);
            CHECK(std::string(key.option.help).size() > 5);
            CHECK_FALSE(std::string(key.option.help).ends_with('.'));
            if (key.option.default_value != nullptr)
                CHECK(check_text(key.option, key.option.default_value).fault.empty());
        }
    };
    check(profile_keys());
    check(plugin_keys());
    check(agent_keys());
}

TEST_CASE("the profiles of this repository say nothing that the table of keys does not know") {
    // Their plugins' own options are left to tests that have the plugins.
    const auto any_plugin = [](plugin_kind, const std::string&, const fs::path&) -> schema_answer { return {}; };
    int seen = 0;
    for (const auto& entry : fs::directory_iterator(CHIMERA_SOURCE_DIR "/profiles")) {
        CAPTURE(entry.path());
        if (entry.is_directory()) continue; // of questions: questions_test's
        std::string syntax;
        if (parse_document(read_profile_text(entry.path()), "", &syntax).find("sweep")) continue; // sweep_test's
        ++seen;
        try {
            load_profile(entry.path(), any_plugin);
        } catch (const profile_error& error) {
            for (const auto& fault : error.faults()) CHECK_MESSAGE(fault.find(".options.") != std::string::npos, fault);
        }
    }
    CHECK(seen >= 10);
}
