// What is wrong with a profile is said with its place, its key and what to do.
#include "test_schema.hpp"

#include <algorithm>
#include <string>

using namespace test_schema;

namespace {

/// The only fault of the smallest profile with more lines after its five.
std::string fault_of(const std::string& more) { return faults(smallest + more); }

void check_has(const std::string& text, const std::string& part) {
    INFO(text, " should contain ", part);
    CHECK(text.find(part) != std::string::npos);
}

} // namespace

TEST_CASE("the smallest profile has no fault") { CHECK(faults(smallest).empty()); }

TEST_CASE("a syntax error is placed") {
    const auto said = fault_of("[measure\nruns = 1\n");
    CHECK(said.starts_with("p.toml:5:9: "));
    check_has(fault_of("name = \"a\"\nname = \"b\"\n"), "p.toml:6:");
    check_has(faults(std::string("\xff\xfe broken")), "p.toml:1:");
}

TEST_CASE("unknown keys are placed and answered with the nearest one of their table") {
    CHECK(faults("[exectuor]\nplugin = \"pool\"\n" + smallest) ==
          "p.toml:1:2: exectuor: unknown key; did you mean \"executor\"?");
    CHECK(fault_of("plugn = 1\n") == "p.toml:5:1: transport.plugn: unknown key; did you mean \"plugin\"?");
    CHECK(fault_of("[measure]\nwarm = 1\n") == "p.toml:6:1: measure.warm: unknown key; did you mean \"warmup\"?");
    CHECK(fault_of("[[workload.agents]]\nid = \"a\"\noptions = { num_gpus = 1 }\n") ==
          "p.toml:7:13: workload.agents.0.options.num_gpus: unknown key; did you mean \"num_gpu\"?");
    CHECK(fault_of("options = { red_size = 1 }\n") ==
          "p.toml:5:13: transport.options.red_size: unknown option; did you mean \"read_size\"?");
    CHECK(fault_of("[backend.simulator]\ndecode_token_per_s = 1\n") ==
          "p.toml:6:1: backend.simulator.decode_token_per_s: unknown option; did you mean \"decode_tokens_per_s\"?");
    check_has(fault_of("[backend.simulator]\nshared_cpu = true\n"), "did you mean \"shared_gpu\"?");
}

TEST_CASE("wrong types and values are placed at the value") {
    CHECK(fault_of("[measure]\nruns = \"five\"\n") ==
          "p.toml:6:8: measure.runs: is a string; give an integer from 1 to 10000");
    CHECK(fault_of("[measure]\nruns = 0\n") ==
          "p.toml:6:8: measure.runs: 0 is out of range; give an integer from 1 to 10000");
    CHECK(fault_of("[measure]\nruns = 1e3\n") ==
          "p.toml:6:8: measure.runs: is a float; give an integer from 1 to 10000");
    CHECK(fault_of("[measure]\ntime_limit_s = nan\n") ==
          "p.toml:6:16: measure.time_limit_s: \"nan\" is not a number from 0.1 to 1000000");
    CHECK(fault_of("[measure]\nseed = -1\n") ==
          "p.toml:6:8: measure.seed: -1 is out of range; give an integer of at least 0");
    CHECK(fault_of("[backend]\napi = \"open_ai\"\n") ==
          "p.toml:6:7: backend.api: \"open_ai\" is not a choice; did you mean \"openai\"?");
    CHECK(fault_of("[backend]\nurls = \"http://a\"\n") == "p.toml:6:8: backend.urls: is a string; give an array");
    CHECK(fault_of("[backend]\nurls = [1]\n") == "p.toml:6:9: backend.urls: is an integer; give a string");
    CHECK(fault_of("options = { read_size = 1.5 }\n") ==
          "p.toml:5:25: transport.options.read_size: is a float; give an integer from 1 to 1048576");
    CHECK(fault_of("options = 3\n") == "p.toml:5:11: transport.options: is an integer; give a table of options");
    CHECK(fault_of("[workload]\npermits = 2020-01-01\n") ==
          "p.toml:6:11: workload.permits: is a date; give an integer from 0 to 1000000");
}

TEST_CASE("a value in place of a table is said to be one") {
    CHECK(faults("executor = \"pool\"\n[transport]\nplugin = \"socket\"\n") ==
          "p.toml:1:12: executor: is a string; give a table: executor = { ... }");
    check_has(fault_of("[workload.agents]\nid = \"a\"\n"),
              "workload.agents: is a table; give an array of tables: [[workload.agents]], or a count and a template");
    check_has(fault_of("[workload]\nagents = [1]\n"), "workload.agents.0: is an integer; give a table for each agent");
}

TEST_CASE("all faults are collected") {
    try {
        parse(smallest + "[measure]\nruns = 0\nwarm = 1\n[backend]\napi = \"x\"\n");
        FAIL("nothing was refused");
    } catch (const profile_error& error) {
        CHECK(error.faults().size() == 3);
    }
}

TEST_CASE("a plugin is required, and one that cannot be found is placed") {
    CHECK(faults("[executor]\nplugin = \"pool\"\n") ==
          "p.toml: transport.plugin: is missing; give it (A plugin's id, or the path of its file)");
    check_has(faults("[executor]\noptions = {}\n[transport]\nplugin = \"socket\"\n"),
              "p.toml:1:1: executor.plugin: is missing");
    CHECK(faults("[executor]\nplugin = \"pol\"\n[transport]\nplugin = \"socket\"\n") ==
          "p.toml:2:10: executor.plugin: no executor plugin \"pol\"");
    CHECK(fault_of("[foreign]\nplugin = \"socket\"\n") == "p.toml:6:10: foreign.plugin: no executor plugin \"socket\"");
    check_has(fault_of("[foreign]\n"), "foreign.plugin: is missing");
    const auto throwing = [](plugin_kind, const std::string&, const std::filesystem::path&) -> schema_answer {
        throw std::runtime_error("it exploded");
    };
    CHECK_THROWS_WITH_AS(parse_profile(smallest, "p.toml", throwing),
                         "p.toml:2:10: executor.plugin: it exploded\np.toml:4:10: transport.plugin: it exploded",
                         profile_error);
}

TEST_CASE("agents have ids of their own that are fit for file names") {
    const auto agent = [](const std::string& id) { return "[[workload.agents]]\nid = \"" + id + "\"\n"; };
    CHECK(fault_of(agent("a") + agent("a")) ==
          "p.toml:8:6: workload.agents.1.id: \"a\" is the id of agent 0 too; give each agent its own");
    for (const std::string unfit : {"", "a/b", "..", ".hidden", "-x", "a b", "ä"}) {
        CAPTURE(unfit);
        check_has(fault_of(agent(unfit)), "cannot be a file name; use letters, digits");
    }
    check_has(fault_of(agent(std::string(65, 'a'))), "64 at most");
    CHECK(fault_of(agent("A.b-c_9")).empty());
    check_has(fault_of("[[workload.agents]]\nlabel = \"x\"\n"), "p.toml:5:1: workload.agents.0.id: is missing");
    check_has(fault_of("[workload]\nagents = []\n"), "workload.agents: has 0 agents; give 1 to");
    check_has(fault_of("[[workload.agents]]\nid = \"a\"\nmodel = \"\"\n"),
              "workload.agents.0.model: is empty; give the name of a model");
    check_has(faults("name = \"a/b\"\n" + smallest), "p.toml:1:8: name: \"a/b\" cannot be a file name");
    CHECK_THROWS_WITH_AS(parse_profile(smallest, "strange name.toml", lookup),
                         doctest::Contains("name: \"strange name\" cannot be a file name"), profile_error);
}

TEST_CASE("URLs are HTTP URLs without secrets") {
    const auto url = [](const std::string& text) { return fault_of("[backend]\nurls = [\"" + text + "\"]\n"); };
    for (const std::string good :
         {"http://127.0.0.1:11434", "https://api.example.org/v1", "http://[::1]:8080/", "http://localhost"}) {
        CAPTURE(good);
        CHECK(url(good).empty());
    }
    for (const std::string bad : {"", "localhost:11434", "127.0.0.1", "ftp://a", "http://", "http://a:0",
                                  "http://a:99999", "http://a b", "http://a/?q=1", "http://a/#f", "unix:/run/x"}) {
        CAPTURE(bad);
        check_has(url(bad), "p.toml:6:9: backend.urls.0: ");
        check_has(url(bad), "give http://host:port, https://host or http+unix");
    }
    check_has(url("http://me:secret@host"), "a profile must not contain a secret");
    check_has(fault_of("[[workload.agents]]\nid = \"a\"\nurl = \"nonsense\"\n"),
              "p.toml:7:7: workload.agents.0.url: is not a URL");
    check_has(fault_of("[backend]\nurls = [\"http://a\", \"http://b\", \"http://c\"]\n"), "has 3 URLs for 2 agents");
}

TEST_CASE("secrets are refused wherever they stand") {
    for (const std::string key :
         {"[backend]\napi_key", "[backend]\napi-key", "apikey", "[[workload.agents]]\nid = \"a\"\nApi_Key",
          "[backend]\nauthorization", "[backend]\ntoken"}) {
        CAPTURE(key);
        const auto said = fault_of(std::string(key) + " = \"sk-1234\"\n");
        check_has(said,
                  "a profile must not contain a secret; use --api-key or the environment variable CHIMERA_API_KEY");
        CHECK(said.find("sk-1234") == std::string::npos);
    }
}

TEST_CASE("keys without a meaning are refused instead of ignored") {
    check_has(fault_of("[workload]\nprompts = [\"x\"]\n"),
              "p.toml:6:11: workload.prompts: needs workload.kind = \"calls\"; leave it out");
    check_has(fault_of("[workload]\nkind = \"calls\"\ncorpus = \".\"\n"), "workload.corpus: needs workload.kind");
    check_has(fault_of("[backend]\nurls = [\"http://a\"]\n[backend.simulator]\nslots = 1\n"),
              "backend.simulator: every agent has a URL, so no simulator is started");
    check_has(fault_of("[backend.simulator]\ninstances = 1\nshared_gpu = true\n"),
              "p.toml:7:14: backend.simulator.shared_gpu: needs more than one instance");
}

TEST_CASE("a plan of arrivals that contradicts itself is refused") {
    const std::string alone = "[measure]\nbaseline = false\n[workload]\nkind = \"calls\"\n";
    CHECK(fault_of(alone + "arrivals = \"poisson\"\nrate_per_s = 10\nduration_s = 1\n").empty());
    check_has(fault_of(alone + "duration_s = 1\ncalls_per_agent = 3\n"),
              "p.toml:9:14: workload.duration_s: and calls_per_agent both define the end");
    check_has(fault_of(alone + "arrivals = \"constant\"\n"), "workload.rate_per_s: is 0, so no call would ever be due");
    check_has(fault_of(alone + "rate_per_s = 1\n"), "workload.rate_per_s: needs arrivals");
    check_has(fault_of(alone + "arrivals = \"constant\"\nrate_per_s = 1\nthink_ms = 1\n"),
              "workload.think_ms: needs arrivals");
    check_has(fault_of("[workload]\nkind = \"calls\"\nramp_ms = 1\n"), "measure: the duration of an agent is planned");
}

TEST_CASE("what needs pieces of bodies is refused where they are not timed") {
    const std::string off = "[measure]\npieces = false\n";
    check_has(fault_of(off), "p.toml:6:10: measure.pieces: is off, so a loss of efficiency could not be explained");
    CHECK(fault_of(off + "baseline = false\n").empty());
    check_has(fault_of(off + "baseline = false\n[alerts]\nitl_p99_ms = 5\n"),
              "alerts.itl_p99_ms: needs measure.pieces");
}

TEST_CASE("more simulators or speeds than anybody would use are refused") {
    check_has(fault_of("[backend.simulator]\ninstances = 3\n"), "backend.simulator.instances: is 3 for 2 agents");
    check_has(fault_of("[backend.simulator]\ninstances = 1\nspeeds = [1, 2]\n"),
              "backend.simulator.speeds: has 2 speeds for 1 instances");
    check_has(fault_of("[backend.simulator]\nspeeds = [\"fast\"]\n"), "backend.simulator.speeds");
}

TEST_CASE("an alert that could never trip is refused") {
    check_has(fault_of("[alerts]\nfail = true\n"), "p.toml:6:8: alerts.fail: no alert is set");
    CHECK(fault_of("[alerts]\nfail = true\nitl_p99_ms = 50\n").empty());
    check_has(fault_of("[measure]\nbaseline = false\n[alerts]\nefficiency_min_pct = 90\n"),
              "p.toml:8:22: alerts.efficiency_min_pct: needs the baseline");
    check_has(fault_of("[alerts]\nttft_ms = 1\n"), "p.toml:6:1: alerts.ttft_ms: unknown key");
}

TEST_CASE("files that a profile names have to be there") {
    check_has(fault_of("[workload]\ncorpus = \"no/such/folder\"\n"), "p.toml:6:10: workload.corpus: ");
    check_has(fault_of("[workload]\nanalysis_template = \"no_such_file\"\n"), "no_such_file is not a file; give");
    check_has(fault_of("[workload]\nkind = \"calls\"\nprompts = []\n"),
              "workload.prompts: is empty; give at least one prompt");
}

TEST_CASE("a profile that cannot be read is answered with the nearest one beside it") {
    const std::filesystem::path there = CHIMERA_SOURCE_DIR "/profiles";
    CHECK_THROWS_WITH_AS(load_profile(there / "smol1bk.toml", lookup),
                         doctest::Contains("cannot be read: No such file or directory; did you mean \"smol1kb.toml\"?"),
                         profile_error);
    CHECK_THROWS_WITH_AS(load_profile(there, lookup), doctest::Contains("is a folder"), profile_error);
    CHECK_THROWS_WITH_AS(load_profile("/nonexistent/p.toml", lookup), doctest::Contains("give the path of a profile"),
                         profile_error);
}

// ---- [backend.headers], [backend.body] and the other keys that adapt a request to a server

TEST_CASE("headers and body are tables of the user's own keys, and survive printing") {
    const profile p = parse(smallest + R"([backend]
api = "openai_completions"
path = "/v9/chat?api=1"
headers = { X-Team = "blue", Accept = "" }
[backend.body]
seed = ""
extra = { flag = true, list = [1, 2.5, "a\"b"], deep = { k = 3 } }
think = false
)");
    CHECK(p.backend.api == llm_api::openai_completions);
    CHECK(p.backend.path == "/v9/chat?api=1");
    CHECK(p.backend.headers == std::vector<named_text>{{"X-Team", "blue"}, {"Accept", ""}});
    CHECK(p.backend.body == std::vector<named_text>{{"seed", ""},
                                                    {"extra.flag", "true"},
                                                    {"extra.list", R"([1,2.5,"a\"b"])"},
                                                    {"extra.deep.k", "3"},
                                                    {"think", "false"}});
    CHECK(parse(to_toml(p)) == p);
    CHECK(config_hash(p) != config_hash(parse(smallest)));
}

TEST_CASE("the command line reaches single keys of both tables") {
    profile_overrides o;
    o.sets = {"backend.headers.X-A=7", "backend.body.seed=", "backend.body.a.b=[1,2]", "backend.body.name=plain words"};
    const profile p = parse(smallest, o);
    CHECK(p.backend.headers == std::vector<named_text>{{"X-A", "7"}});
    CHECK(p.backend.body == std::vector<named_text>{{"seed", ""}, {"a.b", "[1,2]"}, {"name", R"("plain words")"}});
    CHECK(parse(to_toml(p)) == p);
}

TEST_CASE("a URL with a password is refused in a plugin's options as well, and not shown") {
    const auto fault_with = [](const std::string& url) {
        return faults("[executor]\nplugin = \"pool\"\noptions = { spin = { label = \"" + url +
                      "\" } }\n[transport]\nplugin = \"socket\"\n");
    };
    CHECK(fault_with("http://proxy:3128/a@b").empty());
    CHECK(fault_with("http://me:secret@proxy:3128").starts_with("p.toml:3:"));
    CHECK(fault_with("http://me:sec/ret@proxy:3128").starts_with("p.toml:3:"));
    CHECK(fault_with("http://me:secret@proxy:3128").find("secret@") == std::string::npos);
}

TEST_CASE("what cannot be sent is refused at its place") {
    CHECK(fault_of("[backend]\nheaders = { X-A = 7 }\n") ==
          "p.toml:6:13: backend.headers.X-A: is an integer; give a string");
    CHECK(fault_of("[backend]\nheaders = \"X\"\n").find("give a table: headers = { ... }") != std::string::npos);
    CHECK(fault_of("[backend]\nheaders = { Authorization = \"Bearer x\" }\n").find("--api-key") != std::string::npos);
    CHECK(fault_of("[backend]\nheaders = { X-Api-Key = \"x\" }\n").find("backend.key_header") != std::string::npos);
    CHECK(fault_of("[backend]\nkey_header = \"a b\"\n").find("not the name of a header") != std::string::npos);
    CHECK(fault_of("[backend]\nheaders = { \"a b\" = \"x\" }\n").find("not the name of a header") != std::string::npos);
    CHECK(fault_of("[backend]\nheaders = { a = \"x\\ny\" }\n").find("line break") != std::string::npos);
    CHECK(fault_of("[backend]\nbody = { stream = false }\n").find("always streamed") != std::string::npos);
    CHECK(fault_of("[backend]\nbody = { a = 1979-05-27 }\n").find("is a date") != std::string::npos);
    CHECK(fault_of("[backend]\npath = \"v1\"\n").find("is not a path") != std::string::npos);
    CHECK(fault_of("[backend]\ndrain_ms = -1\n").find("out of range") != std::string::npos);
    CHECK(fault_of("[backend]\nmax_reply_bytes = 0\n").find("out of range") != std::string::npos); // not "no limit"
    CHECK(fault_of("[backend]\nurls = [\"http+unix://%2Frun%2Fa.sock/v1\"]\n").empty());
    CHECK(fault_of("[backend]\nurls = [\"http+unix:///run/a.sock\"]\n").empty());
    CHECK(!fault_of("[backend]\nurls = [\"http+unix://\"]\n").empty());
}
