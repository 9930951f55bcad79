// [backend.headers], [backend.body] and the other keys that adapt a request to a server.
#include "profile/option_check.hpp"
#include "test_schema.hpp"

#include <string>

using namespace test_schema;

namespace {

std::string fault_of(const std::string& more) { return faults(smallest + more); }

} // namespace

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
