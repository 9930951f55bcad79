// A plugin that takes its process down takes a child's.
#include "registry/registry.hpp"
#include "registry/trial.hpp"
#include "temporary_folder.hpp"
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>

namespace {

namespace fs = std::filesystem;
using namespace chimera::host;
using namespace std::chrono_literals;

const fs::path plugins = BAD_PLUGINS;

checked_file_ptr checked(const std::string& id) { return std::make_shared<const checked_file>(plugins / (id + ".so")); }

fs::path plugin_file_of(const std::string& id) { return plugins / (id + ".so"); }

bool is_mapped(const fs::path& file) {
    std::ifstream maps("/proc/self/maps");
    const std::string text{std::istreambuf_iterator<char>(maps), {}};
    return text.find(fs::canonical(file).string()) != std::string::npos;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string refusal(registry& plugins_of, const std::string& id) {
    try {
        plugins_of.load(plugin_kind::executor, id);
        return {};
    } catch (const plugin_error& error) {
        CHECK(error.rc() < 0);
        return error.what();
    }
}

} // namespace

TEST_CASE("a plugin that crashes, hangs or exits is an error that says where, and is never loaded here") {
    const struct {
        const char *id, *says;
    } broken[] = {
        {"crash_in_constructor", "crashed (SIGABRT) while it was loaded"},
        {"crash_in_entry", "crashed (SIGSEGV) while its entry was read"},
        {"crash_in_init", "crashed (SIGABRT) in its init"},
        {"crash_in_get_factory", "crashed (SIGABRT) in its get_factory"},
        {"crash_in_deinit", "crashed (SIGABRT) in its deinit"},
        {"exit_in_constructor", "ended the process (exit status 0) while it was loaded"},
        {"exit_in_init", "ended the process (exit status 0) in its init"},
        {"hang_in_init", "hung (no end within 2 s) in its init"},
    };
    registry plugins_of({.search = {plugins}, .own = {}, .trial_limit = 2s});
    for (const auto& plugin : broken) {
        CAPTURE(plugin.id);
        const auto text = refusal(plugins_of, plugin.id);
        CHECK_MESSAGE(contains(text, plugin.says), text);
        CHECK(text.starts_with(plugin_file_of(plugin.id).string() + ": "));
        CHECK(refusal(plugins_of, plugin.id) == text); // and is not tried again
        CHECK_FALSE(is_mapped(plugin_file_of(plugin.id)));
    }
}

TEST_CASE("a library without an entry is refused before its constructors run") {
    registry plugins_of({.search = {plugins}, .own = {}});
    CHECK(contains(refusal(plugins_of, "constructor_without_entry"), "does not export the symbol"));
}

TEST_CASE("what a plugin said before it went down is kept") {
    const auto tried = try_plugin(checked("crash_in_get_factory"), trial_depth::load, 5s);
    CHECK(tried.said["id"] == "crash_in_get_factory");
    CHECK(tried.said["abi"] == "1.2");
    CHECK_FALSE(tried.said.contains("factories"));
    const auto later = try_plugin(checked("crash_in_create"), trial_depth::instance, 5s);
    CHECK(later.said["factories"][0]["options"].size() == 1);
    CHECK(contains(later.fault, "crashed (SIGABRT) while its executor was made"));
    CHECK(try_plugin(checked("crash_in_create"), trial_depth::load, 5s).fault.empty()); // nobody asked for one
}

TEST_CASE("plugins that are tried together are told apart, and those behind one that ended the child are tried too") {
    std::vector<checked_file_ptr> files;
    for (const char* id : {"good_executor", "crash_in_init", "create_fails", "hang_in_init", "good_executor"})
        files.push_back(checked(id));
    const auto tried = try_plugins(files, trial_depth::load, 2s);
    REQUIRE(tried.size() == files.size());
    for (const std::size_t good : {0U, 2U, 4U}) {
        CAPTURE(good);
        CHECK(tried[good].fault.empty());
        CHECK(tried[good].said["id"] == files[good]->path().stem().string());
        CHECK(tried[good].said["factories"].size() == 1);
        CHECK_FALSE(tried[good].said.contains("done"));
    }
    CHECK(contains(tried[1].fault, "crash_in_init.so: crashed (SIGABRT) in its init"));
    CHECK(contains(tried[3].fault, "hang_in_init.so: hung (no end within 2 s) in its init"));
}

TEST_CASE("a plugin is judged by what a trial ahead found, and what it did not find is said when it is loaded") {
    const chimera::test::temporary_folder folder;
    const auto becomes = [&](const char* id) {
        fs::copy_file(plugin_file_of(id), folder / "plugin.so", fs::copy_options::overwrite_existing);
        fs::permissions(folder / "plugin.so", fs::perms(0755));
    };
    becomes("crash_in_init");
    registry plugins_of({.search = {plugins}, .own = {}});
    const std::string file = folder / "plugin.so";
    plugins_of.try_ahead(std::vector<std::string>{file, "not_there", "good_executor", file, "good_executor"});
    becomes("good_executor");
    CHECK(contains(refusal(plugins_of, file), "crashed (SIGABRT) in its init"));
    CHECK(contains(refusal(plugins_of, "not_there"), "no plugin \"not_there\""));
    CHECK(refusal(plugins_of, "good_executor").empty());
}

TEST_CASE("an instance tells its flags and extensions, or why there is none") {
    const auto good = try_plugin(checked("good_executor"), trial_depth::instance, 5s);
    CHECK(good.fault.empty());
    CHECK(good.said["factories"][0]["extensions"] == nlohmann::json::array());
    const auto none = try_plugin(checked("create_fails"), trial_depth::instance, 5s);
    CHECK(none.fault.empty());
    CHECK(contains(none.said["factories"][0]["no_instance"], "no more than zero workers"));
}

TEST_CASE("the listing goes on after a plugin that crashes") {
    const chimera::test::temporary_folder folder;
    for (const char* id : {"crash_in_init", "exit_in_constructor", "good_executor"}) {
        fs::copy_file(plugin_file_of(id), folder / (std::string(id) + ".so"));
        fs::permissions(folder / (std::string(id) + ".so"), fs::perms(0755));
    }
    const auto lines = registry({.search = {folder.path()}, .own = {}}).list();
    REQUIRE(lines.size() == 3);
    CHECK(contains(lines[0].error, "crash_in_init.so: crashed (SIGABRT) in its init"));
    CHECK(lines[0].said["version"] == "1.2.3");
    CHECK(contains(lines[1].error, "exit_in_constructor.so: ended the process"));
    CHECK(lines[2].error.empty());
}
