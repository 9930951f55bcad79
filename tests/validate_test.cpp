// chimera-host validate as a command: its forms of output, its exit status, and what it says to bad input.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

using chimera::test::contains;
using chimera::test::outcome;
using chimera::test::run_host;
using chimera::test::temporary_folder;

const std::string bad = CHIMERA_BAD_PLUGIN_DIR "/";

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
    CHECK(contains(o.out, " passed, 0 failed, 1 skipped\n")); // lifecycle.single_instance
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

TEST_CASE("several globs mean what any of them means") {
    const auto j = validate({"thread_pool", "--json", "--case", "lifecycle.run_empty", "--case", "entry.un*"}).json();
    CHECK(j["cases"].size() == 3);
    CHECK(j["counts"]["not_run"] == 0);
    CHECK(j["not_run_because"].is_null());
    check_refused({"thread_pool", "--case", "nothing", "--case", "no.*"}, "matches nothing or no.*");
}

TEST_CASE("--fail-fast ends with the first broken case, and counts what was not run") {
    const std::vector<std::string> all{bad + "executors/drops_twice.so", "--case", "task.*", "--fail-fast"};
    const outcome o = validate(all);
    INFO(o.out, o.err);
    CHECK(o.status == 1);
    CHECK(contains(o.out, "0 passed, 1 failed, "));
    CHECK(contains(o.out, " not run (--fail-fast)\n"));
    std::vector<std::string> as_json = all;
    as_json.emplace_back("--json");
    const auto j = validate(as_json).json();
    CHECK(j["cases"].size() == 1);
    CHECK(j["counts"]["not_run"].get<int>() > 5);
    CHECK(j["not_run_because"] == "fail-fast");
}

TEST_CASE("a plugin that hangs costs three hangs, and all but the first are short") {
    const outcome o = validate({bad + "executors/ignores_stop.so", "--case", "stop.*", "--timeout", "1", "--json"});
    INFO(o.out, o.err);
    CHECK(o.status == 1);
    const auto j = o.json();
    CHECK(j["counts"]["hung"] == 3);
    CHECK(j["counts"]["not_run"].get<int>() > 0);
    CHECK(j["not_run_because"] == "hangs");
    std::vector<std::string> hung;
    for (const auto& c : j["cases"])
        if (c["verdict"] == "hung") hung.push_back(c["detail"]);
    CHECK(!contains(hung[0], "another one hung before"));
    CHECK(contains(hung[1], "as another one hung before"));
}

TEST_CASE("a warning is not a failure") {
    const outcome o = validate({bad + "exports_more.so", "--case", "file.*"});
    CHECK(o.status == 0);
    CHECK(contains(o.out, "warning file.one_symbol"));
    CHECK(contains(o.out, "3 passed, 1 warning, 0 failed\n"));
}

TEST_CASE("the JSON document holds the plugin, every case and the counts") {
    const outcome o =
        validate({"thread_pool", "--json", "--case", "lifecycle.*", "--case", "stop.*", "--set", "workers=3"});
    const auto j = o.json();
    CHECK(j["plugin"] == "thread_pool");
    CHECK(contains(j["file"], "/thread_pool.so"));
    CHECK(j["seed"] == 1);
    CHECK(j["options"]["workers"] == "3");
    CHECK(j["counts"]["skipped"] == 1); // lifecycle.single_instance
    CHECK(j["counts"]["passed"] == j["cases"].size() - 1);
    for (const char* verdict : {"warning", "failed", "crashed", "hung"}) CHECK(j["counts"][verdict] == 0);
    const auto& first = j["cases"][0];
    CHECK(first["name"] == "lifecycle.create_destroy");
    CHECK(first["kind"] == "executor");
    CHECK(first["verdict"] == "passed");
    CHECK(first["detail"] == "");
    double seconds = 0;
    for (const auto& c : j["cases"]) seconds = std::max(seconds, c["seconds"].get<double>());
    CHECK(seconds > 0);
    CHECK(seconds < std::chrono::duration<double>(o.took).count());
}

TEST_CASE("the list names every case, with its rule, for no plugin in particular") {
    const outcome text = validate({"--list"});
    CHECK(text.status == 0);
    CHECK(contains(text.out, "wake.handshake "));
    CHECK(contains(text.out, "No wake is lost around the end of a poll\n"));
    const auto j = validate({"--list", "--json"}).json();
    CHECK(j["cases"].size() > 140);
    CHECK(validate({"--list", "--json", "--case", "entry.un*"}).json()["cases"].size() == 3);
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

TEST_CASE("a transport is tried over what it offers first, or over what is asked for, and it says so") {
    const std::string unix_only = bad + "transports/sound_unix_only.so";
    const outcome first = validate({unix_only, "--case", "exchange.get"});
    INFO(first.out, first.err);
    CHECK(first.status == 0);
    CHECK(contains(first.out, "of the kit's own, over a Unix socket\n"));
    CHECK(contains(first.out, "\npassed  exchange.get"));
    const auto tls = validate({"curl", "--case", "exchange.get", "--over", "tls", "--json"}).json();
    CHECK(tls["over"] == "tls");
    CHECK(tls["http2"] == false);
    CHECK(tls["counts"]["passed"] == 1);
    CHECK(validate({"thread_pool", "--case", "wake.identity", "--json"}).json()["over"].is_null());
    check_refused({unix_only, "--over", "tcp"}, "does not offer URLs that are reached over tcp");
    check_refused({"socket", "--over", "tls"}, "does not offer URLs that are reached over tls");
    check_refused({"socket", "--over", "udp"}, "--over");
    check_refused({"thread_pool", "--over", "tcp"}, "--over is for a transport");
}

TEST_CASE("a plugin that passes what was tried and that the host refuses is refused") {
    const outcome o = validate({bad + "small_option.so", "--case", "entry.says_something"});
    CHECK(o.status == 2);
    CHECK(contains(o.out, "\npassed  entry.says_something"));
    CHECK(contains(o.err, "option 0 has size 8, expected at least 56"));
}

TEST_CASE("what cannot be used is refused, and why") {
    check_refused({}, "no plugin was named");
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
    check_refused({"thread_pool", "--executor", "fiber"}, "--executor is for a transport or a coordinator");
    check_refused({"thread_pool", "--foreign", "fiber"}, "--foreign is for an executor with a bridge");
    check_refused({"socket", "--transport", "curl"}, "--transport is for an executor with a bridge");
    CHECK(contains(validate({"thread_pol", "--json"}).json()["error"], "did you mean \"thread_pool\"?"));
    const temporary_folder f;
    f.write("text.so", "this is no plugin");
    check_refused({(f.path() / "text.so").string()}, "text.so");
    check_refused({f.path().string() + "/"}, "is a");
}
