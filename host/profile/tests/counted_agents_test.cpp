// Many agents alike: a count and a template in place of the array of tables.
#include "test_schema.hpp"

using namespace test_schema;

namespace {

std::string counted(const std::string& agents) { return smallest + "[workload]\nagents = " + agents + "\n"; }

const std::string four =
    counted("{ count = 4, template = { id = \"agent\", model = \"m\", options = { num_gpu = 80 } } }");

} // namespace

TEST_CASE("a template makes as many agents as its count says, alike but for their names") {
    const auto p = parse(four);
    REQUIRE(p.workload.agents.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        const auto& agent = p.workload.agents[i];
        CHECK(agent.id == fmt::format("agent_{}", i + 1));
        CHECK(agent.label == agent.id);
        CHECK(agent.model == "m");
        CHECK(agent.options.num_gpu == 80);
    }
    const auto named = parse(counted("{ count = 2, template = { id = \"a\", label = \"Agent\" } }"));
    CHECK(named.workload.agents[1].id == "a_2");
    CHECK(named.workload.agents[1].label == "Agent_2");
    CHECK(named.workload.agents[1].model == "gemma3:latest");
    CHECK(parse(counted("{ count = 1, template = { id = \"a\" } }")).workload.agents.at(0).id == "a_1");
    CHECK(parse(smallest + "[workload.agents]\ncount = 3\n[workload.agents.template]\nid = \"a\"\n")
              .workload.agents.size() == 3);
}

TEST_CASE("agents of a template equal agents that are written one by one") {
    std::string list;
    for (const char* id : {"a_1", "a_2", "a_3"})
        list += fmt::format("[[workload.agents]]\nid = \"{}\"\noptions.num_ctx = 512\n", id);
    const auto p = parse(smallest + list);
    const auto q = parse(counted("{ count = 3, template = { id = \"a\", options.num_ctx = 512 } }"));
    CHECK(p == q);
    CHECK(config_hash(p) == config_hash(q));
}

TEST_CASE("the command line changes the count, the template, and all agents") {
    CHECK(with_sets(four, {"workload.agents.count=7"}).workload.agents.size() == 7);
    const auto p = with_sets(four, {"workload.agents.template.options.num_gpu=90", "workload.agents.template.id=x"});
    CHECK(p.workload.agents[3].id == "x_4");
    CHECK(p.workload.agents[3].options.num_gpu == 90);
    CHECK(with_sets(smallest, {"workload.agents={ count = 5, template = { id = \"a\" } }"}).workload.agents.size() ==
          5);

    profile_overrides o;
    o.model = "qwen";
    o.urls = {"http://a", "http://b"};
    const auto q = parse(counted("{ count = 3, template = { id = \"a\", url = \"http://old\" } }"), o);
    CHECK(q.workload.agents[2].model == "qwen");
    CHECK(q.workload.agents[0].url == "http://a");
    CHECK(q.workload.agents[1].url == "http://b");
    CHECK(q.workload.agents[2].url == "http://a");
    CHECK_FALSE(q.needs_simulator());
}

TEST_CASE("all agents of a template may have one server") {
    const auto p = parse(counted("{ count = 2, template = { id = \"a\", url = \"http://one\" } }"));
    CHECK(p.workload.agents[0].url == "http://one");
    CHECK(p.workload.agents[1].url == "http://one");
}

TEST_CASE("agents of a template are printed as a template, and load to an equal profile") {
    const std::string urls = "[backend]\nurls = [\"http://a\", \"http://b\"]\n";
    for (const auto& text :
         {four, four + urls, counted("{ count = 2, template = { id = \"a\", label = \"A B\", url = \"http://one\" } }"),
          counted("{ count = 3, template = { id = \"a\", url = \"http://b\" } }") + urls}) {
        const auto p = parse(text);
        const auto printed = to_toml(p);
        CAPTURE(printed);
        CHECK(printed.find("[workload.agents.template]") != std::string::npos);
        CHECK(printed.find("[[workload.agents]]") == std::string::npos);
        const auto again = parse(printed);
        CHECK(again == p);
        CHECK(to_toml(again) == printed);
    }
}

TEST_CASE("agents that no template makes are printed one by one") {
    for (const char* second : {"id = \"a_3\"", "id = \"a_2\"\nmodel = \"x\"", "id = \"a_2\"\nlabel = \"B\""}) {
        const auto p = parse(smallest + "[[workload.agents]]\nid = \"a_1\"\n[[workload.agents]]\n" + second + "\n");
        const auto printed = to_toml(p);
        CAPTURE(printed);
        CHECK(printed.find("template]") == std::string::npos);
        CHECK(parse(printed) == p);
    }
}

TEST_CASE("what is wrong with a count or a template is said once, where it is written") {
    const auto fault = [](const std::string& agents) { return faults(counted(agents)); };
    CHECK(fault("{ count = 3 }") == "p.toml:6:10: workload.agents.template: is missing; give the common keys "
                                    "of the agents: template = { ... }");
    CHECK(fault("{ template = { id = \"a\" } }") ==
          "p.toml:6:10: workload.agents.count: is missing; give it (Number of agents to make from the template)");
    CHECK(fault("{ count = 0, template = { id = \"a\" } }") ==
          "p.toml:6:20: workload.agents.count: 0 is out of range; give an integer from 1 to 100000");
    CHECK(fault("{ count = 100001, template = { id = \"a\" } }").find("out of range") != std::string::npos);
    CHECK(fault("{ count = \"all\", template = { id = \"a\" } }") ==
          "p.toml:6:20: workload.agents.count: is a string; give an integer from 1 to 100000");
    CHECK(fault("{ count = 9, template = 1 }") ==
          "p.toml:6:34: workload.agents.template: is an integer; give a table: template = { ... }");
    CHECK(fault("{ count = 9, template = { } }") ==
          "p.toml:6:34: workload.agents.template.id: is missing; give it (Name in results and for --set; unique, fit "
          "for a file name)");
    CHECK(fault("{ count = 9, template = { id = \"a\", options = { num_gpus = 1 } } }") ==
          "p.toml:6:58: workload.agents.template.options.num_gpus: unknown key; did you mean \"num_gpu\"?");
    CHECK(fault("{ count = 9, template = { id = \"a\", options = { num_ctx = 0 } } }") ==
          "p.toml:6:68: workload.agents.template.options.num_ctx: 0 is out of range; give an integer from 1 to "
          "10000000");
    CHECK(fault("{ count = 9, template = { id = \"a b\" } }")
              .starts_with("p.toml:6:41: workload.agents.template.id: \"a b_9\" cannot be a file name;"));
    CHECK(fault("{ count = 10, template = { id = \"" + std::string(62, 'a') + "\" } }").find("64 at most") !=
          std::string::npos); // with its number it is too long
    CHECK(fault("{ count = 9, template = { id = \"a\", model = \"\" } }") ==
          "p.toml:6:54: workload.agents.template.model: is empty; give the name of a model");
    CHECK(fault("{ count = 9, template = { id = \"a\", url = \"nonsense\" } }").starts_with("p.toml:6:52: "));
    CHECK(faults(counted("{ count = 2, template = { id = \"a\" } }") +
                 "[backend]\nurls = [\"http://a\", \"http://b\", \"http://c\"]\n")
              .find("has 3 URLs for 2 agents") != std::string::npos);
}

TEST_CASE("the two ways of writing agents do not mix") {
    CHECK(faults(counted("{ count = 2, template = { id = \"a\" }, id = \"b\" }")) ==
          "p.toml:6:48: workload.agents.id: unknown key; known: \"count\", \"template\"");
    CHECK(faults(four + "[[workload.agents]]\nid = \"b\"\n").starts_with("p.toml:7:"));
    CHECK(faults_of_sets(four, {"workload.agents.agent_2.model=x"}) ==
          "--set workload.agents.agent_2.model=x: unknown key; known: \"count\", \"template\"");
    CHECK(faults_of_sets(smallest, {"workload.agents.count=3"}).find("workload.agents has no element \"count\"") !=
          std::string::npos);
}
