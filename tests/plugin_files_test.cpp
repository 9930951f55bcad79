// Whatever a plugin's file holds or its code does, every command that would load it says so and stays alive.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <elf.h>

#include <sys/stat.h>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

const fs::path bad = CHIMERA_BAD_PLUGIN_DIR;

/// The good executor with one byte of its ELF header replaced.
std::string changed(std::size_t at, int value) {
    std::string bytes = content_of(bad / "good_executor.so");
    bytes.at(at) = static_cast<char>(value);
    return bytes;
}

fs::path copy(const temporary_folder& folder, const std::string& id, const fs::path& to) {
    fs::create_directories((folder / to).parent_path());
    fs::copy_file(bad / (id + ".so"), folder / to);
    fs::permissions(folder / to, fs::perms(0755));
    return folder / to;
}

outcome inspect(const fs::path& file, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"inspect", file.string()});
    return run_host(more);
}

/// Every command refuses a file that is not a plugin.
void check_refused_everywhere(const fs::path& file, const std::string& saying) {
    const temporary_folder f;
    const std::string run = "[executor]\nplugin = \"" + file.string() + "\"\n[transport]\nplugin = \"socket\"\n";
    const std::string sweep = run + "[sweep]\n[[sweep.runtimes]]\nname = \"bad\"\n[[sweep.runtimes]]\nname = \"good\"\n"
                                    "set.executor = { plugin = \"fiber\" }\n";
    for (const std::string command : {"inspect", "run", "selfcheck", "sweep"}) {
        CAPTURE(file);
        CAPTURE(command);
        const auto profile = f.write("p.toml", command == "sweep" ? sweep : run);
        const outcome o =
            command == "inspect" ? inspect(file) : run_host({command, "--profile", profile.string(), "--dry-run"});
        CHECK(o.status == 2);
        CHECK_MESSAGE(contains(o.err, saying), "expected \"" << saying << "\" in: " << o.err);
        CHECK_MESSAGE(contains(o.err, file.filename().string()), o.err);
    }
}

/// The bytes of a library's file that the loader maps: the rest, such as the section headers, may be missing.
std::size_t loaded_bytes(const std::string& library) {
    Elf64_Ehdr header;
    REQUIRE(library.size() >= sizeof header);
    std::memcpy(&header, library.data(), sizeof header);
    std::size_t end = 0;
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, library.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD) end = std::max<std::size_t>(end, segment.p_offset + segment.p_filesz);
    }
    return end;
}

/// For the processes that are started while it lives.
class plugin_path {
  public:
    explicit plugin_path(const std::string& folders) { setenv("CHIMERA_PLUGIN_PATH", folders.c_str(), 1); }
    ~plugin_path() { unsetenv("CHIMERA_PLUGIN_PATH"); }
};

} // namespace

TEST_CASE("a file that is not a plugin is refused by every command that takes one, and listed with the reason") {
    const temporary_folder f;
    fs::create_directory(f / "folder.so");
    fs::create_symlink("loop_b.so", f / "loop_a.so");
    fs::create_symlink("loop_a.so", f / "loop_b.so");
    REQUIRE(mkfifo((f / "fifo.so").c_str(), 0600) == 0);
    const std::string whole = changed(EI_CLASS, ELFCLASS64);
    f.write("text.so", "#!/bin/sh\n");
    f.write("x86.so", changed(EI_CLASS, ELFCLASS32));
    f.write("s390.so", changed(offsetof(Elf64_Ehdr, e_machine), EM_S390));
    for (const std::size_t length : {20, 64, 100, 700})
        f.write("cut_" + std::to_string(length) + ".so", whole.substr(0, length));
    f.write("cut_at_the_end.so", whole.substr(0, loaded_bytes(whole) - 1));
    copy(f, "constructor_without_entry", "constructor_without_entry.so");
    const fs::path open_to_all = copy(f, "good_transport", "good_transport.so");
    fs::permissions(open_to_all, fs::perms(0777));
    const struct {
        std::string file, says;
    } files[] = {{"folder.so", "is a folder"},
                 {"loop_a.so", "loop of symbolic links"},
                 {"fifo.so", "is not a regular file"},
                 {"text.so", "is not a shared library"},
                 {"x86.so", "is a 32-bit library, expected 64 bits"},
                 {"s390.so", "is built for the machine number 22"},
                 {"cut_20.so", "is cut off"},
                 {"cut_64.so", "is cut off"},
                 {"cut_100.so", "is cut off"},
                 {"cut_700.so", "is cut off"},
                 {"cut_at_the_end.so", "is cut off"},
                 {"constructor_without_entry.so", "does not export the symbol \"chimera_plugin_entry\""},
                 {"good_transport.so", "may be written by others"}};
    for (const auto& [file, says] : files) check_refused_everywhere(f / file, says);
    check_refused_everywhere(f / "missing.so", "no such file");

    copy(f, "good_executor", "good_executor.so");
    const plugin_path path(f.path().string());
    const outcome o = run_host({"plugins", "--json"});
    CHECK_MESSAGE(o.status == 0, o.err);
    const auto listed = o.json()["plugins"];
    const auto find = [&](const std::string& file) {
        for (const auto& p : listed)
            if (p["path"] == (f / file).string()) return p;
        return nlohmann::json();
    };
    for (const auto& [file, says] : files) {
        CAPTURE(file);
        REQUIRE(find(file).is_object());
        CHECK(contains(find(file)["error"].get<std::string>(), says));
    }
    CHECK(find("good_executor.so")["error"].is_null());
    CHECK(find("good_executor.so")["factories"][0]["kind"] == "executor");
    CHECK(run_host({"plugins"}).status == 0);
    CHECK(inspect(open_to_all, {"--allow-untrusted-plugins"}).status == 0);
}

TEST_CASE("a plugin that takes its process down is named by every command, which goes on") {
    check_refused_everywhere(bad / "crash_in_constructor.so", "crashed (SIGABRT) while it was loaded");
    check_refused_everywhere(bad / "crash_in_init.so", "crashed (SIGABRT) in its init");
    check_refused_everywhere(bad / "exit_in_init.so", "ended the process (exit status 0) in its init");
    check_refused_everywhere(bad / "crash_in_get_factory.so", "crashed (SIGABRT) in its get_factory");
    const temporary_folder f;
    copy(f, "hang_in_init", "hang_in_init.so");
    copy(f, "good_executor", "good_executor.so");
    const plugin_path path(f.path().string());
    const outcome o = run_host({"plugins"});
    CHECK(o.status == 0);
    CHECK_MESSAGE(contains(o.out, "hang_in_init.so: hung (no end within 5 s) in its init"), o.out);
    CHECK(contains(o.out, "An executor that only loads"));
}

TEST_CASE("a profile that names two broken plugins is told of both, with their lines") {
    const temporary_folder f;
    const auto profile =
        f.write("p.toml", "[executor]\nplugin = \"" + (bad / "crash_in_init.so").string() +
                              "\"\n\n[transport]\nplugin = \"" + (bad / "exit_in_init.so").string() + "\"\n");
    const outcome o = run_host({"--profile", profile.string()});
    CHECK(o.status == 2);
    CHECK_MESSAGE(contains(o.err, "p.toml:2:"), o.err);
    CHECK_MESSAGE(contains(o.err, "p.toml:5:"), o.err);
}

TEST_CASE("two plugins of one id on the search path are refused by their id and found by their paths") {
    const temporary_folder f;
    const auto first = copy(f, "good_executor", "a/good_executor.so"),
               second = copy(f, "good_executor", "b/good_executor.so");
    const plugin_path path((f / "a").string() + ":" + (f / "b").string());
    for (const outcome& o :
         {run_host({"inspect", "good_executor"}),
          run_host({"--profile", profile_path("smol1kb").string(), "--set", "executor.plugin=good_executor"})}) {
        CHECK(o.status == 2);
        CHECK_MESSAGE(
            contains(o.err, "two plugins are called \"good_executor\": " + first.string() + " and " + second.string()),
            o.err);
    }
    CHECK(contains(run_host({"plugins"}).out, "cannot be used: two plugins are called"));
    CHECK(inspect(second).status == 0);
}

TEST_CASE("a listing is valid JSON whatever a file is called") {
    const temporary_folder f;
    copy(f, "good_executor", "\xff.so");
    const plugin_path path(f.path().string());
    const outcome o = run_host({"plugins", "--json"});
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(o.json()["plugins"][0]["id"] == "good_executor");
}

TEST_CASE("a listing that cannot be written is not a success") {
    for (const std::string command : {"plugins", "inspect fiber"}) {
        const outcome o = process("/bin/sh", {"-c", host_program().string() + " " + command + " >/dev/full"}).wait();
        CHECK(o.status == 3);
        CHECK_MESSAGE(contains(o.err, "standard output cannot be written"), o.err);
    }
}

TEST_CASE("inspect shows a plugin by its id, as text and as JSON") {
    const outcome text = run_host({"inspect", "fiber"});
    CHECK_MESSAGE(text.status == 0, text.err);
    for (const char* part : {"contract 1.2", "nodelete", "libboost_fiber", "chimera.reactor/1", "pinned", "stack_size"})
        CHECK_MESSAGE(contains(text.out, part), text.out);
    const auto j = run_host({"inspect", "fiber", "--json"}).json();
    CHECK(j["plugin"]["id"] == "fiber");
    CHECK(j["plugin"]["flags"].is_array());
    CHECK(j["plugin"]["factories"][0]["extensions"][0] == "chimera.reactor/1");
    CHECK(j["file"]["exports"].empty());
    CHECK(j["file"]["trusted"] == true);
    CHECK(j["error"].is_null());
}

TEST_CASE("what a plugin says of itself reaches no terminal raw") {
    const fs::path file = bad / "control_characters.so";
    for (const outcome& o : {inspect(file), run_host({"validate", file.string(), "--case", "entry.says_something"})})
        CHECK_FALSE(contains(o.out + o.err, "\033"));
    const std::string text = inspect(file).out;
    CHECK(contains(text, "An \\x1b[31mexecutor"));
    CHECK(contains(text, "Threads \\x1b]0;title\\x07"));
    CHECK(inspect(file, {"--json"}).json()["plugin"]["description"] == "An \033[31mexecutor");
}

TEST_CASE("inspect shows what can be known of a file that does not load") {
    const outcome unresolved = inspect(bad / "undefined_symbol.so", {"--json"});
    CHECK(unresolved.status == 2);
    CHECK(unresolved.json()["file"]["type"] == "shared library");
    CHECK(contains(unresolved.json()["error"], "undefined symbol: init_elsewhere"));
    const outcome crashed = inspect(bad / "crash_in_get_factory.so");
    CHECK(crashed.status == 2);
    CHECK_MESSAGE(contains(crashed.out, "crash_in_get_factory 1.2.3, contract 1.2"), crashed.out);
    CHECK(contains(crashed.err, "crashed (SIGABRT) in its get_factory"));
    CHECK(run_host({"inspect"}).status == 2);
    CHECK(contains(inspect(bad / "missing.so", {"--json"}).json()["error"], "no such file"));
    CHECK(contains(run_host({"inspect", "fibre"}).err, "did you mean \"fiber\"?"));
}
