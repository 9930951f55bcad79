#include "registry/registry.hpp"
#include "registry/trial.hpp"
#include "temporary_folder.hpp"
#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using namespace chimera::host;
using chimera::test::temporary_folder;

const fs::path plugins = BAD_PLUGINS;
const std::vector<option_value> one_worker = {{"workers", "1", CHM_OPT_INT}};

std::string plugin_file(const std::string& id) { return (plugins / (id + ".so")).string(); }

template <class Call>
plugin_error refusal(Call call) {
    try {
        call();
    } catch (const plugin_error& error) {
        return error;
    }
    FAIL("nothing was refused");
    return {"", CHM_OK};
}

void check_has(const std::string& text, const std::string& part) {
    INFO(text, " should contain ", part);
    CHECK(text.find(part) != std::string::npos);
}

/// What is logged while it lives.
class captured_log {
  public:
    captured_log() : before_(spdlog::default_logger()) {
        auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
        auto logger = std::make_shared<spdlog::logger>("captured", sink);
        logger->set_pattern("%l %v");
        spdlog::set_default_logger(logger);
    }
    ~captured_log() { spdlog::set_default_logger(before_); }
    std::string text() const { return text_.str(); }

  private:
    std::shared_ptr<spdlog::logger> before_;
    std::ostringstream text_;
};

class working_directory {
  public:
    explicit working_directory(const fs::path& to) : before_(fs::current_path()) { fs::current_path(to); }
    ~working_directory() { fs::current_path(before_); }

  private:
    fs::path before_;
};

class environment_variable {
  public:
    environment_variable(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
    ~environment_variable() { unsetenv(name_); }

  private:
    const char* name_;
};

fs::path copy_plugin(const std::string& id, const fs::path& to) {
    fs::create_directories(to.parent_path());
    fs::copy_file(plugin_file(id), to);
    fs::permissions(to, fs::perms(0755));
    return to;
}

std::size_t open_files() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

} // namespace

TEST_CASE("a good plugin is initialized once, makes instances, and is deinitialized after the last of them") {
    registry({.search = {plugins}, .own = {}}).load(plugin_kind::executor, "good_executor"); // stays open: one file
    const captured_log log;
    const auto files = open_files();
    {
        executor_ptr last;
        {
            registry plugins_of({.search = {plugins}, .own = {}});
            const auto found = plugins_of.load(plugin_kind::executor, "good_executor");
            CHECK(found == plugins_of.load(plugin_kind::executor, plugin_file("good_executor")));
            CHECK(found->path() == fs::canonical(plugin_file("good_executor")));
            CHECK(std::string(found->entry().version) == "1.2.3");
            CHECK(found->offers(plugin_kind::executor));
            CHECK_FALSE(found->offers(plugin_kind::transport));
            CHECK(found->options(plugin_kind::transport).empty());
            REQUIRE(found->options(plugin_kind::executor).size() == 1);
            CHECK(std::string(found->options(plugin_kind::executor)[0].name) == "workers");

            const std::vector<option_value> options = {{"workers", "7", CHM_OPT_INT}, {"mode", "", CHM_OPT_STRING}};
            const auto first = plugins_of.create_executor(found, options);
            last = plugins_of.create_executor(found, one_worker);
            CHECK(first->vt->run(first.get(), CHM_RUN_UNTIL_IDLE, nullptr) == CHM_OK);
        }
        CHECK(log.text().find("deinit") == std::string::npos); // one instance is left
    }
    CHECK(log.text() == "info [good_executor] init\n"
                        "info [good_executor] workers = 7\n"
                        "info [good_executor] mode = \n"
                        "info [good_executor] workers = 1\n"
                        "info [good_executor] destroy\n"
                        "info [good_executor] destroy\n"
                        "info [good_executor] deinit\n");
    CHECK(open_files() == files);
}

TEST_CASE("a transport is made by its plugin, and each kind is asked for by its name") {
    registry plugins_of({.search = {plugins}, .own = {}});
    const auto found = plugins_of.load(plugin_kind::transport, "good_transport");
    CHECK(plugins_of.create_transport(found, {}) != nullptr);
    const auto error = refusal([&] { plugins_of.load(plugin_kind::executor, "good_transport"); });
    check_has(error.what(), "\"good_transport\" offers no executor, only a transport");
    check_has(error.what(), plugin_file("good_transport"));
}

TEST_CASE("plugins of later minors of the contract load") {
    registry plugins_of({.search = {plugins}, .own = {}});
    CHECK(plugins_of.load(plugin_kind::executor, "good_newer_minor")->entry().abi_minor > CHM_ABI_MINOR);
    const auto larger = plugins_of.load(plugin_kind::executor, "good_larger_option");
    const auto options = larger->options(plugin_kind::executor);
    REQUIRE(options.size() == 2);
    CHECK(std::string(options[0].name) == "workers");
    CHECK(std::string(options[1].name) == "steal");
    CHECK(std::string(options[1].default_value) == "true");
}

TEST_CASE("a plugin compiled with a later minor's headers, in which all structs have grown, loads and is used") {
    registry plugins_of({.search = {}});
    const auto found = plugins_of.load(plugin_kind::executor, LATER_MINOR_PLUGIN);
    CHECK(found->entry().size > sizeof(chm_plugin_entry));
    CHECK(found->entry().abi_minor == CHM_ABI_MINOR + 1);
    REQUIRE(found->options(plugin_kind::executor).size() == 1);
    CHECK(std::string(found->options(plugin_kind::executor)[0].name) == "workers");
    const auto made = plugins_of.create_executor(found, one_worker);
    CHECK(made->vt->run(made.get(), CHM_RUN_UNTIL_IDLE, nullptr) == CHM_OK);
}

TEST_CASE("every broken plugin is refused with what was found against what was expected") {
    const struct {
        const char *id, *says;
    } broken[] = {
        {"wrong_major", "is built for contract 2.2, expected 1.x"},
        {"small_entry", "its entry has size 8, expected at least"},
        {"no_entry", "does not export the symbol \"chimera_plugin_entry\""},
        {"no_id", "its entry has no id (NULL)"},
        {"bad_id", "has the id \"Not-An-Id\", expected [a-z][a-z0-9_]*"},
        {"other_id", "its id is \"somebody_else\", expected \"other_id\""},
        {"no_version", "has no version (NULL)"},
        {"no_description", "has no description (NULL)"},
        {"null_get_factory", "has no get_factory (NULL)"},
        {"unknown_factory", "offers none of \"chimera.executor.factory/1\", \"chimera.transport.factory/1\" and "
                            "\"chimera.coordinator.factory/1\""},
        {"small_factory", "its executor factory has size 8, expected at least"},
        {"null_create", "its executor factory has no create (NULL)"},
        {"bad_default_option", "option 0 (workers) has a default that it would not accept: 0 is out of range"},
        {"null_default_option", "option 0 (workers) has no default (NULL)"},
        {"unknown_option_type", "option 0 (workers) has type 99, expected 1 to 5"},
        {"bad_option_name", "is called \"Workers!\", expected snake_case"},
        {"null_option_name", "option 0 has no name (NULL)"},
        {"enum_without_choices", "option 0 (mode) has no choices"},
        {"small_option", "option 0 has size 8, expected at least"},
        {"duplicate_option", "option 1 (twice) has the name of an earlier one"},
        {"init_fails", "its init failed: the moon is in the wrong phase (CHM_E_NOSYS)"},
        {"undefined_symbol", "undefined symbol: init_elsewhere"},
    };
    registry plugins_of({.search = {plugins}, .own = {}});
    for (const auto& plugin : broken) {
        CAPTURE(plugin.id);
        const auto error = refusal([&] { plugins_of.load(plugin_kind::executor, plugin.id); });
        check_has(error.what(), plugin.says);
        check_has(error.what(), plugin_file(plugin.id) + ": ");
        CHECK(error.rc() < 0);
    }
}

TEST_CASE("an instance that cannot be made or used is refused with the plugin's own reason and code") {
    const struct {
        const char *id, *says;
        chm_rc rc;
    } broken[] = {
        {"create_fails", "was refused: no more than zero workers are possible (CHM_E_INVAL)", CHM_E_INVAL},
        {"create_fails_silently", "was refused: CHM_E_NOMEM (-2), without a message", CHM_E_NOMEM},
        {"create_makes_nothing", "create succeeded without an instance", CHM_E_FAIL},
        {"null_table", "has no table of functions (NULL)", CHM_E_FAIL},
        {"short_table", "its table of functions has size 16, expected at least", CHM_E_FAIL},
        {"no_destroy", "its table of functions lacks destroy", CHM_E_FAIL},
    };
    registry plugins_of({.search = {plugins}, .own = {}});
    for (const auto& plugin : broken) {
        CAPTURE(plugin.id);
        const auto found = plugins_of.load(plugin_kind::executor, plugin.id);
        const auto error = refusal([&] { plugins_of.create_executor(found, one_worker); });
        check_has(error.what(), plugin.says);
        check_has(error.what(), fmt::format("an executor of plugin \"{}\"", plugin.id));
        CHECK(error.rc() == plugin.rc);
    }
}

TEST_CASE("an id is looked for in the profile's folder, then along the search path, and the first match wins") {
    const temporary_folder folder;
    const auto in_profile = copy_plugin("good_executor", folder / "profile/good_executor.so");
    const auto in_first = copy_plugin("good_executor", folder / "first/good_executor.so");
    copy_plugin("good_executor", folder / "second/good_executor.so");
    copy_plugin("good_transport", folder / "second/good_transport.so");

    registry plugins_of({.search = {folder / "absent", folder / "first"}, .own = {folder / "second"}});
    const auto path = [&](const char* id, const fs::path& from) {
        const auto kind = std::string(id) == "good_transport" ? plugin_kind::transport : plugin_kind::executor;
        return plugins_of.load(kind, id, from)->path();
    };
    CHECK(path("good_executor", folder / "profile") == fs::canonical(in_profile));
    CHECK(path("good_executor", {}) == fs::canonical(in_first));
    CHECK(path("good_transport", folder / "profile") == fs::canonical(folder / "second/good_transport.so"));

    folder.write("profile/good_transport.so", "not a plugin");
    const auto error = refusal([&] { path("good_transport", folder / "profile"); });
    check_has(error.what(), "profile/good_transport.so: is not a shared library");
}

TEST_CASE("an id that is nowhere is answered with the nearest one and the folders") {
    registry plugins_of({.search = {plugins}, .own = {"/nonexistent/plugins"}});
    const auto error = refusal([&] { plugins_of.load(plugin_kind::executor, "good_excutor", "/nonexistent/profile"); });
    check_has(error.what(), "no plugin \"good_excutor\"; did you mean \"good_executor\"?");
    check_has(error.what(), "looked in /nonexistent/profile, " + plugins.string() + ", /nonexistent/plugins");
    const auto far = refusal([&] { plugins_of.load(plugin_kind::executor, "zzzzzzzzzzzz"); });
    check_has(far.what(), "known: ");
}

TEST_CASE("a path is taken from the profile's folder, then from the working directory") {
    const temporary_folder folder;
    const auto beside_profile = copy_plugin("good_executor", folder / "profile/mine/executor.so");
    const auto in_cwd = copy_plugin("good_executor", folder / "cwd/other.so");
    const working_directory cwd(folder / "cwd");
    registry plugins_of({.search = {}, .own = {}});
    const auto path = [&](const std::string& name) {
        return plugins_of.load(plugin_kind::executor, name, folder / "profile")->path();
    };
    CHECK(path("mine/executor.so") == fs::canonical(beside_profile));
    CHECK(path("other.so") == fs::canonical(in_cwd));
    CHECK(path("./other.so") == fs::canonical(in_cwd));
    CHECK(path(in_cwd.string()) == fs::canonical(in_cwd));
    const auto error = refusal([&] { path("mine/exceutor.so"); });
    check_has(error.what(), "mine/exceutor.so: no such file in " + (folder / "profile").string());
    check_has(error.what(), "did you mean \"executor.so\"?");
}

TEST_CASE("a plugin that is twice on the user's search path is refused, also in the listing") {
    const temporary_folder folder;
    copy_plugin("good_executor", folder / "first/good_executor.so");
    copy_plugin("good_executor", folder / "second/good_executor.so");
    registry plugins_of({.search = {folder / "first", folder / "second"}, .own = {plugins}});
    const auto error = refusal([&] { plugins_of.load(plugin_kind::executor, "good_executor"); });
    check_has(error.what(),
              "two plugins are called \"good_executor\": " + (folder / "first/good_executor.so").string() + " and " +
                  (folder / "second/good_executor.so").string());
    CHECK(plugins_of.load(plugin_kind::executor, "good_executor", folder / "second"));
    CHECK(plugins_of.load(plugin_kind::executor, (folder / "first/good_executor.so").string()));
    check_has(registry({.search = {folder / "first", folder / "second"}, .own = {}}).list().at(0).error,
              "two plugins are called");

    copy_plugin("good_transport", folder / "third/good_transport.so");
    registry one_file({.search = {folder / "third", folder / "first/../third"}, .own = {}});
    CHECK(one_file.load(plugin_kind::transport, "good_transport"));
}

TEST_CASE("the search path is CHIMERA_PLUGIN_PATH, then the folders of the build and of the installation") {
    const environment_variable variable("CHIMERA_PLUGIN_PATH", "/first/folder::/second");
    CHECK(plugin_path_of_environment() == std::vector<fs::path>{"/first/folder", "/second"});
    const auto folders = own_plugin_path();
    REQUIRE(!folders.empty());
    CHECK(folders[0] == (fs::read_symlink("/proc/self/exe").parent_path() / "../lib/chimera").lexically_normal());
}

TEST_CASE("the listing names every file, what is wrong with it, and which one is hidden by another") {
    const temporary_folder folder;
    copy_plugin("good_executor", folder / "first/good_executor.so");
    copy_plugin("good_executor", folder / "second/good_executor.so");
    copy_plugin("good_transport", folder / "second/good_transport.so");
    copy_plugin("good_transport", folder / "second/renamed.so");
    folder.write("second/text.so", "not a plugin");
    folder.write("second/README.md", "not listed");

    registry plugins_of(
        {.search = {folder / "first", folder / "absent"}, .own = {folder / "second", folder / "first"}});
    const auto lines = plugins_of.list();
    REQUIRE(lines.size() == 5);
    const auto& first = lines[0];
    CHECK(first.id == "good_executor");
    CHECK(first.path == folder / "first/good_executor.so");
    CHECK(first.said["version"] == "1.2.3");
    CHECK(first.said["description"] == "An executor that only loads");
    REQUIRE(first.said["factories"].size() == 1);
    CHECK(first.said["factories"][0]["kind"] == "executor");
    CHECK(first.said["factories"][0]["options"].size() == 1);
    CHECK(first.error.empty());
    CHECK(first.shadowed_by.empty());
    CHECK(lines[1].shadowed_by == first.path);
    CHECK(lines[2].said["factories"].at(0)["kind"] == "transport");
    check_has(lines[3].error, "its id is \"good_transport\"; rename the file to good_transport.so");
    CHECK(lines[4].id == "text");
    check_has(lines[4].error, "is not a shared library");

    const auto with_profile = plugins_of.list(folder / "second");
    REQUIRE(with_profile.size() == 5);
    CHECK(with_profile.back().shadowed_by == folder / "second/good_executor.so");
}

TEST_CASE("loading and refusing leaves no file open") {
    const auto files = open_files();
    {
        registry plugins_of({.search = {plugins}, .own = {}, .trial_limit = std::chrono::seconds(2)}); // one hangs
        CHECK(plugins_of.list().size() > 20);
    }
    CHECK(open_files() == files);
}
