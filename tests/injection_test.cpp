// Hostile text in a results folder, a profile, a plugin, a server's reply or a file name is shown as plain text only.
// It sets no title, clears no screen, reverses no line, computes no cell, ends no element of a page.
#include "host_process.hpp"
#include "model_server.hpp"
#include "neutral_text.hpp"
#include "sample_sweep.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace chimera::test;
namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

namespace {

const std::string element = R"(<script type="application/json" id="report">)";

/// For the processes that are started while it lives.
class variable {
  public:
    variable(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
    ~variable() { unsetenv(name_); }

  private:
    const char* name_;
};

void check_neutral(const std::string& text) {
    const std::string why = fault_on_terminal(text);
    CHECK_MESSAGE(why.empty(), why);
}

void check_neutral(const outcome& o) {
    check_neutral(o.out);
    check_neutral(o.err);
    // A line that the program did not begin.
    CHECK_MESSAGE(("\n" + o.err).find("\nerror [host] forged") == std::string::npos, o.err);
}

/// Results in which every text is hostile_text().
fs::path hostile_sweep(const temporary_folder& f, const std::string& place) {
    const std::string said = hostile_text();
    sample_sweep sweep(f, place, {"pool", said}, {{"plain", {{said, said}, {"list", json{said}}, {"n", -1.5}}}});
    for (const char* key : {"name", "description", "question", "backend", "profile"}) sweep.sweep()[key] = said;
    for (json& runtime : sweep.sweep()["runtimes"])
        for (const char* key : {"description", "executor", "transport", "foreign"}) runtime[key] = said;
    for (int run = 1; run <= 3; ++run) {
        json metrics = sample_metrics(sample_values({.collector_ms = 90.0 + run}));
        metrics["values"][said] = run;
        metrics["definitions"][said] = {{"unit", said}, {"definition", said}, {"provenance", "measured"}};
        metrics["definitions"]["efficiency_pct"]["definition"] = said;
        metrics["serialization"] = {
            {"verdict", "serialized"}, {"cause", "unknown"}, {"overlap_pct", 0.0}, {"evidence", said}};
        metrics["self_check"] = {{"client_limited", {said}}, {"evidence", {said}}};
        metrics["remarks"] = {{{"what", said}, {"detail", said}, {"replies", 1}, {"of", 2}}};
        for (json& agent : metrics["concurrent"]["agents"]) agent["model"] = said;
        json& origin = metrics["provenance"] =
            sample_provenance(said, said + place + std::to_string(run), said + place);
        for (json& value : origin["machine"])
            if (value.is_string()) value = said + place;
        for (json& value : origin["build"]) value = said + place;
        for (const char* key : {"digest", "parameter_size", "quantization"})
            origin["servers"][0]["models"][0][key] = said + place;
        sweep.add("pool", "plain", run, metrics);
    }
    sweep.add_cell(said, "plain", 1, "failed", said.c_str(), "other/plain/run_1");
    return sweep.write();
}

std::string toml_text(const std::string& text) { return "'''" + text + "'''"; }

/// hostile_text() without the bytes that TOML forbids, and without the quotes that would end a literal string.
std::string hostile_toml_text() {
    std::string out;
    for (const char c : hostile_text())
        if (c != '\'' && (static_cast<unsigned char>(c) >= 0x20 || c == '\n') && c != 0x7f) out += c;
    return out;
}

const std::string plugins = "[executor]\nplugin = \"thread_pool\"\n[transport]\nplugin = \"socket\"\n";
const std::string one_call = "[workload]\nkind = \"calls\"\n[measure]\nruns = 1\nwarmup = 0\nbaseline = false\n";

} // namespace

TEST_CASE("a report of results with hostile texts is only text in every format") {
    const temporary_folder f;
    const variable page("CHIMERA_REPORT_PAGE",
                        f.write("page.html", "<html>" + element + "{{report}}</script></html>").string());
    const std::string results = hostile_sweep(f, "sweep").string();
    const auto report = [&](const char* format) {
        const outcome o = run_host({"report", results, "--format", format});
        CHECK_MESSAGE(o.status == 0, o.err);
        check_neutral(o.err);
        return o.out;
    };
    std::string why = fault_in_markdown(report("md"));
    CHECK_MESSAGE(why.empty(), why);
    why = fault_in_csv(report("csv"));
    CHECK_MESSAGE(why.empty(), why);
    const std::string html = report("html");
    why = fault_in_page(html, element, "</script>");
    CHECK_MESSAGE(why.empty(), why);
    CHECK(html.ends_with("</script></html>"));
    CHECK(json::parse(report("json"))["description"] == hostile_text()); // for programs: to the byte
    CHECK(json::accept(report("vllm")));
}

TEST_CASE("a comparison of results with hostile texts is only text") {
    const temporary_folder f;
    const std::string a = hostile_sweep(f, "a").string(), b = hostile_sweep(f, "b\x1b[2J\n").string();
    const outcome o = run_host({"compare", a, b, "--metric", "efficiency_pct", "--fail-on-regression", "0"});
    CHECK_MESSAGE(!o.out.empty(), o.err);
    check_neutral(o);
    CHECK(json::accept(run_host({"compare", a, b, "--json"}).out));
    check_neutral(run_host({"compare", a, b, "--metric", "no\x1b[2J\u202e"}));
}

TEST_CASE("damaged results are refused in plain text") {
    const temporary_folder f;
    const fs::path results = hostile_sweep(f, "bad\x1b]0;x\x07\u202e");
    f.write(results.filename() / "pool/plain/run_1/metrics.json", "{\"schema_version\": 2, \"\x1b[2J\u202e");
    for (const char* format : {"md", "csv"})
        check_neutral(run_host({"report", results.string(), "--format", format}).err);
    f.write(results.filename() / "cells.jsonl", "{\"runtime\": \"\\u001b[2J\\u202e\\nerror [host] forged\"}\n");
    check_neutral(run_host({"report", results.string()}));
    f.write(results.filename() / "sweep.json", "\x1b[2J\u202e");
    check_neutral(run_host({"report", results.string()}));
    check_neutral(run_host({"report", (f / "none\x1b[2J\xff\u202e").string()}));
}

TEST_CASE("a profile with hostile texts is shown as text, and what it is refused with too") {
    const temporary_folder f;
    const std::string said = hostile_toml_text();
    const std::string texts = "description = " + toml_text(said) + "\n";
    const std::string agents =
        "[[workload.agents]]\nid = \"a\"\nlabel = " + toml_text(said) + "\nmodel = " + toml_text(said) + "\n";
    const outcome shown = run_host({"--profile", f.write("p.toml", texts + plugins + agents).string(), "--dry-run"});
    CHECK_MESSAGE(shown.status == 0, shown.err);
    check_neutral(shown);
    // What is shown is a profile, and the same one.
    const outcome again = run_host({"--profile", f.write("again.toml", shown.out).string(), "--dry-run"});
    CHECK_MESSAGE(again.status == 0, again.err);

    const std::string sweep = texts + plugins + "[sweep]\nquestion = " + toml_text(said) +
                              "\n[[sweep.runtimes]]\nname = \"a\"\ndescription = " + toml_text(said) + "\n";
    const outcome planned = run_host({"sweep", "--profile", f.write("s.toml", sweep).string(), "--dry-run"});
    CHECK_MESSAGE(planned.status == 0, planned.err);
    check_neutral(planned);

    for (const std::string& wrong :
         {"name = " + toml_text(said) + "\n" + plugins, plugins + "[workload]\nkind = " + toml_text(said) + "\n",
          plugins + "\"\u202e\\u001b[2J\" = 1\n", plugins + "[[workload.agents]]\nid = " + toml_text(said) + "\n",
          "[executor]\nplugin = " + toml_text(said) + "\n[transport]\nplugin = \"socket\"\n",
          std::string("\x1b[2J\u202e = \x07"),
          plugins + "[sweep]\n[[sweep.runtimes]]\nname = " + toml_text(said) + "\n"})
        for (const char* command : {"run", "sweep"}) {
            const outcome o = run_host({command, "--profile", f.write("w\x1b[2J.toml", wrong).string(), "--dry-run"});
            CHECK(o.status == 2);
            check_neutral(o);
        }
}

TEST_CASE("hostile arguments are refused in plain text") {
    const temporary_folder f;
    const std::string profile = f.write("p.toml", plugins).string(), said = hostile_text();
    const std::vector<std::vector<std::string>> refused{
        {"--" + said},
        {said},
        {"--profile", said},
        {"--profile", profile, "--dry-run", "--set", said + "=1"},
        {"--profile", profile, "--dry-run", "--set", "name=" + said},
        {"--profile", profile, "--dry-run", "--url", said},
        {"--profile", profile, "--ui", said},
        {"inspect", said},
        {"validate", said},
        {"new", "executor", said},
        {"sweep", "--profile", said},
        {"compare", said, said},
        {"import", "tr115", said, "--output-dir", (f / "out").string()}};
    for (const auto& arguments : refused) {
        CAPTURE(arguments[0]);
        const outcome o = run_host(arguments);
        CHECK(o.status != 0);
        check_neutral(o);
    }
}

TEST_CASE("what a plugin says, logs and fails with is shown as text") {
    const temporary_folder f;
    fs::create_directory(f / "plugins\x1b[2J");
    const fs::path file = f / "plugins\x1b[2J" / "hostile_texts.so";
    fs::copy_file(fs::path(CHIMERA_TEST_PLUGIN_DIR) / "hostile_texts.so", file);
    fs::permissions(file, fs::perms(0755));
    check_neutral(run_host({"inspect", file.string()}));
    check_neutral(run_host({"validate", file.string(), "--case", "entry.*", "--verbose"}));
    const std::string run =
        "[executor]\nplugin = \"" + (f / "link.so").string() + "\"\n[transport]\nplugin = \"socket\"\n";
    fs::copy_file(file, f / "link.so");
    fs::permissions(f / "link.so", fs::perms(0755));
    const outcome o = run_host({"--profile", f.write("p.toml", run + one_call).string(), "--output-dir",
                                (f / "r").string(), "--url", "http://127.0.0.1:1"});
    CHECK(o.status != 0);
    CHECK_MESSAGE(o.err.find("\\x1b]0;title") != std::string::npos, o.err);
    check_neutral(o);
    const variable path("CHIMERA_PLUGIN_PATH", (f / "plugins\x1b[2J").string());
    const outcome listed = run_host({"plugins"});
    CHECK_MESSAGE(listed.out.find("hostile_texts") != std::string::npos, listed.out);
    check_neutral(listed);
}

TEST_CASE("what a server answers is shown as text, in a run and in its report") {
    const std::string said = hostile_text();
    const std::vector<model_server::script> scripts{
        [&](const asked&, reply& r) {
            r.whole("500 Internal", json{{"error", {{"message", said}}}}.dump());
        },
        [&](const asked&, reply& r) { r.whole("400 Bad", said, "text/html"); },
        [&](const asked&, reply& r) {
            r.begin("text/event-stream");
            r.chunk("data: " + json{{"error", {{"message", said}, {"type", said}}}}.dump() + "\n\n");
            r.end();
        },
        [&](const asked&, reply& r) {
            r.begin("text/event-stream");
            r.chunk(
                "data: " +
                json{{"choices", {{{"index", 0}, {"delta", {{"content", said}}}, {"finish_reason", said}}}}}.dump() +
                "\n\ndata: [DONE]\n\n");
            r.end();
        },
        [&](const asked&, reply& r) {
            r.send("HTTP/1.1 301 \x1b[2J\r\nLocation: http://\xe2\x80\xae\x1b]0;x\x07/\r\nContent-Length: 0\r\n\r\n");
        }};
    for (const auto& script : scripts) {
        const temporary_folder f;
        const model_server server(script, [&](const asked&, reply& r) {
            r.whole("200 OK", json{{"version", said}, {"models", {{{"name", "m"}, {"digest", said}}}}}.dump());
        });
        const std::string profile = "[backend]\napi = \"openai\"\n" + plugins + one_call;
        const outcome o = run_host({"--profile", f.write("p.toml", profile).string(), "--url", server.url(),
                                    "--output-dir", (f / "r").string(), "--trace", (f / "trace.json").string()});
        CHECK_MESSAGE(server.requests() > 0, o.err);
        check_neutral(o);
        const fs::path results = fs::directory_iterator(f.path() / "r" / "p")->path();
        CHECK(json::accept(content_of(f / "trace.json")));
        CHECK(json::accept(content_of(results / "summary.json")));
        std::string why = fault_in_markdown(run_host({"report", results.string()}).out);
        CHECK_MESSAGE(why.empty(), why);
        why = fault_in_csv(run_host({"report", results.string(), "--format", "csv"}).out);
        CHECK_MESSAGE(why.empty(), why);
    }
}
