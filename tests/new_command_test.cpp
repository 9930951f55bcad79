// `chimera-host new` with bad arguments says how to correct them and leaves no files. The tests in tests/install build
// and run the projects that it makes from good ones.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <string>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

void check_refused(const outcome& o, const std::string& saying) {
    CHECK(o.status == 2);
    CHECK_MESSAGE(o.err.find(saying) != std::string::npos, "expected \"" << saying << "\" in: " << o.err);
    CHECK(o.out.empty());
}

auto entries(const fs::path& folder) { return std::distance(fs::directory_iterator(folder), {}); }

} // namespace

TEST_CASE("a kind, a language or a name that is not usable is refused, and nothing is written") {
    const temporary_folder f;
    const std::string to = (f / "made").string();
    check_refused(run_host({"new", "executer", "mine", to}), "did you mean \"executor\"?");
    check_refused(run_host({"new", "plugin", "mine", to}), "\"coordinator\"");
    check_refused(run_host({"new", "executor", "mine", to, "--lang", "c++"}), "\"cpp\"");
    check_refused(run_host({"new", "executor", "mine", to, "--lang", "go"}), "known: \"c\", \"cpp\"");
    for (const std::string name : {"", "Mine", "1mine", "my-executor", "../mine", "m\u00fc", "a b"})
        check_refused(run_host({"new", "executor", name, to}), "small letters");
    check_refused(run_host({"new", "executor", std::string(65, 'a'), to}), "at most 64");
    check_refused(run_host({"new", "executor", "test", to}), "build tools");
    check_refused(run_host({"new", "executor", "edit_cache", to}), "build tools");
    check_refused(run_host({"new", "executor", "fiber", to}), "already exists");
    check_refused(run_host({"new", "transport", "exchange", to, "--lang", "c"}), "another file of this template");
    check_refused(run_host({"new", "executor"}), "name");
    CHECK(entries(f.path()) == 0);
}

TEST_CASE("what is there already is not touched") {
    const temporary_folder f;
    f.write("full/notes.txt", "mine");
    f.write("file", "mine");
    fs::create_symlink("nowhere", f / "dangling");
    fs::create_directory(f / "empty");
    fs::create_symlink("empty", f / "link");
    for (const std::string there : {"full", "file", "dangling", "link"})
        check_refused(run_host({"new", "executor", "mine", (f / there).string()}), "not an empty folder");
    check_refused(run_host({"new", "executor", "mine", (f / "file/below").string()}), "cannot be created");
    CHECK(entries(f.path()) == 5);
    CHECK(entries(f / "full") == 1);
}

TEST_CASE("an empty folder is filled, and folders on the way are made") {
    const temporary_folder f;
    fs::create_directory(f / "empty");
    for (const std::string to : {"empty", "a/b/c/", "it's here"}) {
        const outcome o = run_host({"new", "transport", "mine", (f / to).string(), "--lang", "cpp"});
        CHECK_MESSAGE(o.status == 0, o.err);
        CHECK(fs::exists(f / to / "mine.cpp"));
        CHECK(fs::exists(f / to / "mine.toml"));
    }
    CHECK(entries(f.path()) == 3);
}

TEST_CASE("what is to be typed next is what a shell takes") {
    const temporary_folder f;
    const std::string odd = (f / "it's $HOME").string();
    const outcome o = run_host({"new", "executor", "mine", odd});
    const auto line = o.out.find("  cd ");
    REQUIRE(line != std::string::npos);
    const std::string cd = o.out.substr(line, o.out.find('\n', line) - line);
    CHECK(process("/bin/sh", {"-c", cd + " && test -f mine.cpp"}).wait().status == 0);
}

TEST_CASE("what explains the new plugin is named, and is there") {
    const temporary_folder f;
    for (const std::string kind : {"executor", "transport", "coordinator"}) {
        const outcome o = run_host({"new", kind, "mine", (f / kind).string()});
        const auto at = o.out.find("/share/doc/chimera/docs/writing-a");
        REQUIRE(at != std::string::npos);
        const auto begin = o.out.rfind(' ', at) + 1;
        CHECK(fs::is_regular_file(o.out.substr(begin, o.out.find('\n', at) - begin)));
        CHECK(content_of(f / kind / "README.md").find("../docs") == std::string::npos);
        CHECK(content_of(f / kind / "README.md").find("/share/doc/chimera/docs/writing-a") != std::string::npos);
    }
}
