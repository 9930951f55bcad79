// chimera-host validate as a command: its forms of output, its exit status, and what it says to bad input.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using chimera::test::outcome;
using chimera::test::run_host;
using chimera::test::temporary_folder;

const std::string bad = CHIMERA_BAD_PLUGIN_DIR "/";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

outcome validate(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "validate");
    return run_host(arguments);
}

void check_refused(const std::vector<std::string>& arguments, const std::string& part) {
    const outcome o = validate(arguments);
    INFO(o.out, o.err);
    CHECK(o.status == 2);
    CHECK(o.out.empty());
    CHECK(contains(o.err, part));
}

} // namespace

TEST_CASE("a plugin is found by its id, and each case is a line") {
    const outcome o = validate({"thread_pool", "--case", "lifecycle.*", "--seed", "7"});
    INFO(o.out, o.err);
    CHECK(o.status == 0);
    CHECK(contains(o.out, "thread_pool.so, seed 7\n"));
    CHECK(contains(o.out,
                   "\npassed  lifecycle.create_destroy: An executor that never ran is destroyed without a trace  "));
    CHECK(contains(o.out, " passed, 0 failed\n"));
    CHECK(!contains(o.out, "\033["));
}

TEST_CASE("only what failed is shown on demand, and decides the exit status") {
    const std::string twice = bad + "executors/drops_twice.so";
    const outcome all = validate({twice, "--case", "task.r*"});
    const outcome some = validate({twice, "--only-failed", "--case", "[te][an][st]*.[rd]*"});
    CHECK(all.status == 1);
    CHECK(contains(all.out, "failed  task.ready_at_once"));
    CHECK(some.status == 1);
    CHECK(contains(some.out, "failed  task.ready_at_once"));
    CHECK(!contains(some.out, "passed  entry.describes_itself"));
    CHECK(contains(some.out, " passed, "));
}

TEST_CASE("a warning is no failure") {
    const outcome o = validate({bad + "exports_more.so", "--case", "file.*"});
    CHECK(o.status == 0);
    CHECK(contains(o.out, "warning file.one_symbol"));
    CHECK(contains(o.out, "3 passed, 1 warning, 0 failed\n"));
}

TEST_CASE("the JSON document holds the plugin, every case and the counts") {
    const auto j = validate({"thread_pool", "--json", "--case", "lifecycle.*", "--set", "workers=3"}).json();
    CHECK(j["plugin"] == "thread_pool");
    CHECK(contains(j["file"], "/thread_pool.so"));
    CHECK(j["seed"] == 1);
    CHECK(j["options"]["workers"] == "3");
    CHECK(j["counts"]["passed"] == j["cases"].size());
    for (const char* verdict : {"warning", "failed", "crashed", "hung", "skipped"}) CHECK(j["counts"][verdict] == 0);
    const auto& first = j["cases"][0];
    CHECK(first["name"] == "lifecycle.create_destroy");
    CHECK(first["kind"] == "executor");
    CHECK(first["verdict"] == "passed");
    CHECK(first["detail"] == "");
    CHECK(first["seconds"].get<double>() >= 0);
}

TEST_CASE("the list names every case, with its rule, for no plugin in particular") {
    const outcome text = validate({"--list"});
    CHECK(text.status == 0);
    CHECK(contains(text.out, "wake.handshake "));
    CHECK(contains(text.out, "No wake is lost around the end of a poll\n"));
    const auto j = validate({"--list", "--json"}).json();
    CHECK(j["cases"].size() > 140);
    CHECK(validate({"--list", "--json", "--case", "entry.un*"}).json()["cases"].size() == 2);
    check_refused({"--list", "--case", "nothing"}, "nothing");
    CHECK(j["cases"][0].contains("sentence"));
}

TEST_CASE("a bridge is tried with the shipped plugins, and it says so") {
    const outcome o = validate({"async_std_bridge", "--case", "bridge.works", "--set", "await=wake"});
    INFO(o.out, o.err);
    CHECK(o.status == 0);
    CHECK(contains(o.out, "/thread_pool.so under transport "));
    CHECK(contains(o.out, "\npassed  bridge.works"));
}

TEST_CASE("a plugin that passes what was tried and that the host refuses is refused") {
    const outcome o = validate({bad + "small_option.so", "--case", "entry.says_something"});
    CHECK(o.status == 2);
    CHECK(contains(o.out, "\npassed  entry.says_something"));
    CHECK(contains(o.err, "option 0 has size 8, expected at least 56"));
}

TEST_CASE("what cannot be used is refused, and why") {
    check_refused({}, "which plugin");
    check_refused({"thread_pol"}, "thread_pool");
    check_refused({"/no/such/plugin.so"}, "/no/such/plugin.so");
    check_refused({bad + "wrong_major.so"}, "contract 2");
    check_refused({bad + "crash_in_init.so"}, "crashed while it was loaded");
    check_refused({"thread_pool", "--set", "worker=1"}, "worker");
    check_refused({"thread_pool", "--set", "workers"}, "KEY=VALUE");
    check_refused({"thread_pool", "--case", "nothing"}, "nothing");
    check_refused({"thread_pool", "--timeout", "x"}, "--timeout");
    check_refused({"thread_pool", "--seed", "x"}, "--seed");
    check_refused({"socket", "--executor", "curl"}, "has no executors");
    check_refused({"thread_pool", "--set", "workers=many"}, "option 'workers': 'many'");
    check_refused({"thread_pool", "--executor", "fiber"}, "--executor is for a transport");
    check_refused({"thread_pool", "--foreign", "fiber"}, "--foreign is for an executor with a bridge");
    check_refused({"socket", "--transport", "curl"}, "--transport is for an executor with a bridge");
    CHECK(contains(validate({"thread_pol", "--json"}).json()["error"], "did you mean \"thread_pool\"?"));
    const temporary_folder f;
    f.write("text.so", "this is no plugin");
    check_refused({(f.path() / "text.so").string()}, "text.so");
    check_refused({f.path().string() + "/"}, "is a");
}
