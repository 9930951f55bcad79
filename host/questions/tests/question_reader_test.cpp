#include "written.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

TEST_CASE("hypotheses, criteria, references and prices are read") {
    const question_set q = questions_in(R"(
[[references]]
name = "TR114"
value = 95.7
metric = "efficiency_pct"
what = "two agents, two servers"
[[hypotheses]]
id = "H1"
statement = "pinning helps"
metric = "efficiency_pct"
a = "pinned"
b = "stealing"
direction = "higher"
margin = 1
config = "homo*"
[[hypotheses]]
statement = "as good as before"
metric = "efficiency_pct"
a = "pinned"
reference = "TR114"
direction = "equivalent"
margin = 2
[[criteria]]
statement = "peak"
metric = "efficiency_pct"
aggregate = "max"
at_least = 98
by = "every"
[[criteria]]
statement = "better than before"
metric = "efficiency_pct"
above = "TR114"
[cost]
currency = "EUR "
server_per_hour = 2.5
servers = 2
requests_per_month = 1_000_000
tokens_per_request = 800
development = 5000
)");
    CHECK(q.hypotheses[0].a == "pinned/homo*");
    CHECK(q.hypotheses[0].b == "stealing/homo*");
    CHECK(q.hypotheses[0].direction == relation::higher);
    CHECK(q.hypotheses[1].id == "2");
    CHECK(q.hypotheses[1].reference->name == "TR114");
    CHECK(q.criteria[0].at_least == 98);
    CHECK(q.criteria[0].every);
    CHECK(q.criteria[1].above->value == 95.7);
    CHECK(!q.criteria[1].every);
    CHECK(q.cost->tokens_per_month == 8e8);
    CHECK(q.cost->servers == 2);
    CHECK(q.cost->currency == "EUR ");
    CHECK(to_json(from_json<question_set>(to_json(q), "q")) == to_json(q));
}

TEST_CASE("hypotheses that no study can decide are refused") {
    const std::string begin = "[[hypotheses]]\nid = \"h\"\nstatement = \"s\"\nmetric = \"efficiency_pct\"\na = \"a\"\n";
    CHECK(faults_in(begin + "b = \"b\"") ==
          "q.toml:1:1: hypotheses.h: has no direction; give it: direction = \"higher\", "
          "\"lower\", \"different\" or \"equivalent\"");
    CHECK(faults_in(begin + "b = \"b\"\ndirection = \"no_difference\"") ==
          "q.toml:7:13: hypotheses.h.direction: no study can show that there is no difference; write \"equivalent\" "
          "and a "
          "margin");
    CHECK(faults_in(begin + "b = \"b\"\ndirection = \"equivalent\"") ==
          "q.toml:1:1: hypotheses.h: is about equivalence and has no margin; give the largest difference that does not "
          "matter: margin = ...");
    CHECK(
        faults_in(begin + "reference = 95\ndirection = \"higher\"\nby = \"ranks\"") ==
        "q.toml:8:6: hypotheses.h.by: ranks need two samples; a reference is tested by welch (there: Student's test)");
    CHECK(faults_in(begin + "b = \"b/x\"\ndirection = \"higher\"\nconfig = \"y\"") ==
          "q.toml:8:10: hypotheses.h.config: stands beside \"b/x\", which names one; give one of the two");
    CHECK(faults_in(begin + "b = \"b\"\ndirection = \"higher\"\nmargn = 1") ==
          "q.toml:8:1: hypotheses.h.margn: unknown key; did you mean \"margin\"?");
    CHECK(faults_in(begin + "b = \"b\"\ndirection = \"higher\"\n" + begin + "b = \"b\"\ndirection = \"lower\"") ==
          "q.toml:8:1: hypotheses.h: is there twice; give each its own name");
}

TEST_CASE("criteria, references and prices with faults") {
    const std::string criterion = "[[criteria]]\nid = \"c\"\nstatement = \"s\"\nmetric = \"efficiency_pct\"\n";
    CHECK(faults_in(criterion) == "q.toml:1:1: criteria.c: has no bar; give at_least, at_most or above (a reference)");
    CHECK(faults_in(criterion + "at_least = 1\nat_most = 2") ==
          "q.toml:1:1: criteria.c: has several bars; make a criterion of each");
    CHECK(faults_in(criterion + "above = 1\naggregate = \"max\"") ==
          "q.toml:5:9: criteria.c.above: is tested on the mean of the runs; leave out aggregate and over");
    CHECK(faults_in(criterion + "at_least = 1\nby = \"all\"") ==
          "q.toml:6:6: criteria.c.by: \"all\" is not known; known: \"any\", \"every\"");
    CHECK(faults_in("[[references]]\nname = \"r\"\nwhat = \"w\"") ==
          "q.toml:1:1: references.r: has no value; give the published figure: value = ...");
    CHECK(faults_in("[[references]]\nvalue = 1\nwhat = \"w\"") ==
          "q.toml:1:1: references.1: has no name; give it: name = \"...\"");
    CHECK(faults_in("[cost]\nserver_per_hour = -1") ==
          "q.toml:2:19: cost.server_per_hour: is -1; give a number above 0, or 0");
    CHECK(faults_in("[cost]\nservers = 0") == "q.toml:2:11: cost.servers: is not a whole number from 1 to 1000000");
    CHECK(faults_in("[cost]\ntokens_per_request = 1") ==
          "q.toml:2:22: cost.tokens_per_request: needs requests_per_month beside it");
    CHECK(faults_in("[cost]\ntokens_per_month = 1\nrequests_per_month = 1") ==
          "q.toml:2:20: cost.tokens_per_month: stands beside requests_per_month; give the load once");
    CHECK(faults_in("[cost]\nmonthly_bill = 1\ninputs = { monthly_bill = 2 }") ==
          "q.toml:3:12: cost.inputs.monthly_bill: is a key of [cost] already; give it another name");
    CHECK(faults_in("cost = 1").starts_with("q.toml:1:8: cost: is an integer; give a table"));
}

TEST_CASE("a file of questions has nothing else, unless it is a profile") {
    CHECK(faults_in("[claim]\nx = 1") == "q.toml:1:2: claim: unknown table; did you mean \"claims\"?");
    CHECK(faults_in("").starts_with("q.toml: asks nothing; "));
    CHECK(faults_in("[cost]\nx = ").starts_with("q.toml:2:"));
    const question_set q = questions_in("[executor]\nplugin = \"fiber\"\n[sweep]\n[cost]\nmonthly_bill = 1");
    CHECK(q.cost->monthly_bill == 1);
}

TEST_CASE("the shipped files read, with as many claims as the reports have figures") {
    const std::filesystem::path folder = CHIMERA_PROFILES "/claims";
    const question_set tr115 = read_questions(folder / "tr115.toml");
    CHECK(tr115.claims.size() == 100);
    CHECK(tr115.hypotheses.size() == 4);
    CHECK(tr115.criteria.size() == 2);
    CHECK(tr115.references.size() == 3);
    CHECK(read_questions(folder / "tr112.toml").claims.size() == 74);
    CHECK(read_questions(CHIMERA_PROFILES "/tr115.toml").hypotheses.size() == 4);
}
