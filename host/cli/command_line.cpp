#include "cli/commands.hpp"

#include "backend/server_pool.hpp"
#include "cli/output.hpp"
#include "process/files.hpp"
#include "process/messages.hpp"
#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"
#include "sweep/cell_process.hpp"
#include "workload/prompt_template.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <new>
#include <sstream>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <sys/resource.h>

namespace chimera::host {
namespace {

/// Removes the brackets of an IPv6 address. Returns the fault, like all validators of CLI11.
std::string bare_address(std::string& text) {
    std::string bare = text;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    in6_addr binary{}; // room for both
    if (inet_pton(bare.find(':') == std::string::npos ? AF_INET : AF_INET6, bare.c_str(), &binary) != 1)
        return "'" + text + "' is not an IP address (examples: 127.0.0.1, ::1)";
    text = bare;
    return "";
}

std::string is_named(const std::string& text) { return text.empty() ? "the path is empty" : ""; }

/// "5%", "5 %" and "5" are 5.
std::string without_percent_sign(std::string& text) {
    std::string_view number = text;
    if (number.ends_with('%')) number.remove_suffix(1);
    while (number.ends_with(' ')) number.remove_suffix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size() || !std::isfinite(value) || value < 0)
        return "'" + text + "' is not a percentage of 0 or more (example: 5%)";
    text = std::string(number);
    return "";
}

void add_trust_option(CLI::App& app, bool& allow_untrusted) {
    app.add_flag("--allow-untrusted-plugins", allow_untrusted,
                 "Load plugin files even if other users can write or replace them");
}

/// The options that run, sweep and selfcheck share.
template <class Arguments>
void add_profile_options(CLI::App& app, Arguments& a) {
    app.add_option("--profile", a.profile, "Profile to run: a TOML file, or the name of an installed profile")
        ->type_name("FILE");
    app.add_option("--set", a.overrides.sets,
                   "Change a key of the profile (repeatable; example: executor.plugin=fiber)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    app.add_option("--url", a.overrides.urls,
                   "Server to use instead of the embedded simulator (repeatable; agents use them in turn)")
        ->type_name("URL")
        ->allow_extra_args(false);
    app.add_option("--model", a.overrides.model, "Model that every agent asks for");
    app.add_option("--runs", a.overrides.runs, "Number of measured runs")->type_name("N");
    app.add_option("--warmup", a.overrides.warmup, "Number of warm-up runs before them, which are not counted")
        ->type_name("N");
    app.add_option("--seed", a.overrides.seed, "Seed of all random choices")->type_name("N");
    add_trust_option(app, a.allow_untrusted);
    app.add_flag("--dry-run", a.dry_run, "Print the resolved profile and the plan, and run nothing");
}

void add_output_option(CLI::App& app, std::filesystem::path& folder) {
    app.add_option("--output-dir", folder, "Folder for result files")
        ->type_name("DIR")
        ->check(is_named)
        ->capture_default_str();
}

void add_key_options(CLI::App& app, key_arguments& a) {
    CLI::Option* key =
        app.add_option("--api-key", a.key,
                       "Bearer token for the servers, overrides CHIMERA_API_KEY. Never written to a file "
                       "or a log, but other users may see it for a moment in the list of processes")
            ->type_name("KEY")
            ->check([](const std::string& text) { return text.empty() ? "the key is empty" : ""; });
    app.add_option("--api-key-file", a.file, "File or pipe that contains the key")
        ->type_name("FILE")
        ->check(is_named)
        ->excludes(key);
}

void add_metrics_options(CLI::App& app, std::optional<int>& port, std::string& address) {
    app.add_option("--metrics-port", port, "Serve live metrics for Prometheus on this port (0: any free port)")
        ->check(CLI::Range(0, 65535))
        ->type_name("N");
    app.add_option("--metrics-address", address, "Address of the interface that serves them")
        ->transform(CLI::Validator(bare_address, ""))
        ->type_name("IP")
        ->capture_default_str();
}

/// The options of a run, for the program itself and for its subcommand `run`.
void add_run_options(CLI::App& app, run_arguments& a) {
    add_profile_options(app, a);
    add_output_option(app, a.output_dir);
    app.add_option("--cell", a.cell, "Run one run of a sweep; results go beside the profile")->group("");
    app.add_flag("--ask-servers", a.ask_servers, "Print what the servers say of themselves as JSON")->group("");
    app.add_option("--ui", a.ui, "Progress: auto is a bar on a terminal and lines elsewhere; plain is lines")
        ->check(CLI::IsMember({"auto", "plain", "none"}))
        ->capture_default_str();
    add_key_options(app, a.key);
    app.add_option("--trace", a.trace, "Write a trace of every run, for ui.perfetto.dev or chrome://tracing")
        ->check(is_named)
        ->type_name("FILE");
    add_metrics_options(app, a.metrics_port, a.metrics_address);
    app.add_flag("--json", a.json, "Print the summary as JSON");
}

/// The arguments of `sweep status`.
struct status_arguments {
    std::filesystem::path folder;
    bool json = false;
};

/// The subcommand `sweep`, with its own subcommand `status`.
CLI::App* add_sweep(CLI::App& app, sweep_arguments& a, status_arguments& status) {
    CLI::App* sweep = app.add_subcommand("sweep", "Run every runtime in every configuration of a profile's [sweep]");
    add_profile_options(*sweep, a);
    add_output_option(*sweep, a.output_dir);
    add_key_options(*sweep, a.key);
    sweep->add_flag("--resume", a.resume,
                    "Continue an interrupted sweep: keep finished runs, run the rest. With --dry-run: list the rest");
    sweep->add_flag("--retry-failed", a.retry_failed, "With --resume: run cells that did not succeed again");
    sweep->add_option("--only", a.only, "Run only cells whose runtime/config or runtime/config/run_N matches")
        ->type_name("GLOB");
    sweep->add_option("--jobs", a.jobs, "Cells to run at a time; more than one disturb each other's measurement")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    sweep->add_flag("--no-preflight", a.no_preflight,
                    "Begin without looking whether servers and models are there, and at disk, clock and CPU frequency");
    add_metrics_options(*sweep, a.metrics_port, a.metrics_address);
    sweep
        ->add_option("--live-page", a.live_page,
                     "Show the report while the sweep runs, on this port of 127.0.0.1 (0: any free port)")
        ->check(CLI::Range(0, 65535))
        ->type_name("N");
    CLI::App* told = sweep->add_subcommand("status", "Say how far a sweep is, and change nothing");
    told->add_option("results", status.folder, "Folder of the sweep")->type_name("DIR")->required();
    told->add_flag("--json", status.json, "Print JSON");
    sweep->require_subcommand(0, 1);
    return sweep;
}

CLI::App* add_report(CLI::App& app, report_arguments& a) {
    CLI::App* report = app.add_subcommand("report", "Analyse the results of a sweep, a campaign or a run");
    report->add_option("results", a.results, "Folder of results, or a summary.json")->type_name("DIR")->required();
    report->add_option("--format", a.format, "Format of the report")
        ->check(CLI::IsMember(report_formats()))
        ->capture_default_str();
    report->add_option("--only", a.only, "Analyse only runs whose runtime/config or runtime/config/run_N matches")
        ->check(is_named)
        ->type_name("GLOB");
    report
        ->add_option(
            "--claims", a.claims,
            "Judge the claims, hypotheses, criteria and costs of a file (repeatable): a TOML file, or the name "
            "of an installed one, such as tr115")
        ->check(is_named)
        ->allow_extra_args(false)
        ->type_name("FILE");
    report->add_option("--output", a.output, "File for the report, instead of standard output")
        ->check(is_named)
        ->type_name("FILE");
    return report;
}

CLI::App* add_compare(CLI::App& app, compare_arguments& a) {
    CLI::App* compare = app.add_subcommand("compare", "Test whether results differ, and by how much");
    compare->add_option("results", a.results, "Folders of results, or summary.json files; the first is the baseline")
        ->type_name("DIR")
        ->expected(2, CLI::detail::expected_max_vector_size)
        ->required();
    compare->add_option("--metric", a.metrics, "Compare this metric only (repeatable)")
        ->type_name("NAME")
        ->allow_extra_args(false);
    compare
        ->add_option("--same", a.same,
                     "Runtimes that count as the same under other names, one name for each of the results (repeatable)")
        ->type_name("A=B")
        ->allow_extra_args(false);
    compare
        ->add_option("--fail-on-regression", a.fail_on_regression,
                     "Exit with status 1 if a metric is detectably worse than the baseline by more than this")
        ->transform(CLI::Validator(without_percent_sign, "PERCENT"));
    compare->add_flag("--json", a.json, "Print JSON");
    return compare;
}

CLI::App* add_new(CLI::App& app, new_arguments& a) {
    CLI::App* made = app.add_subcommand("new", "Create the folder of a new plugin, which builds, validates and runs");
    made->add_option("kind", a.kind, "Kind of plugin: executor, transport or coordinator")
        ->type_name("KIND")
        ->required();
    made->add_option("name", a.name, "Id of the plugin in profiles")->type_name("NAME")->required();
    made->add_option("dir", a.folder, "Folder to create (default: ./NAME)")->type_name("DIR")->check(is_named);
    made->add_option("--lang", a.lang, "Language of the plugin")->type_name("c|cpp|rust")->capture_default_str();
    return made;
}

CLI::App* add_validate(CLI::App& app, validate_arguments& a) {
    CLI::App* validate = app.add_subcommand(
        "validate", "Test whether a plugin obeys every rule of the contract, each rule in its own process");
    validate->add_option("plugin", a.plugin, "Plugin file, or the id of a plugin on the search path");
    validate->add_flag("--list", a.list, "List the cases (of --case) and their rules, and run nothing");
    validate->add_option("--case", a.globs, "Run only cases whose name matches (repeatable; example: 'wake.*')")
        ->type_name("GLOB")
        ->allow_extra_args(false)
        ->default_str("*");
    validate->add_flag("--only-failed", a.only_failed, "Hide cases that passed or were skipped");
    validate->add_option("--set", a.options, "Option of the plugin (repeatable)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    validate
        ->add_option("--executor", a.executor,
                     "Executor plugin that runs a transport or a coordinator, instead of the kit's own")
        ->type_name("PLUGIN");
    validate
        ->add_option("--over", a.over,
                     "Test a transport over plain TCP, a Unix socket or TLS (default: the first that it supports)")
        ->type_name("WIRE")
        ->check(CLI::IsMember({"tcp", "unix", "tls"}));
    validate->add_option("--foreign", a.foreign, "Executor plugin to use behind a bridge")
        ->type_name("PLUGIN")
        ->capture_default_str();
    validate->add_option("--transport", a.transport, "Transport plugin to use with a bridge")
        ->type_name("PLUGIN")
        ->capture_default_str();
    validate->add_flag("--fail-fast", a.fail_fast, "Stop after the first case that failed, crashed or hung");
    validate
        ->add_option(
            "--timeout", a.limit_s,
            "Seconds for each case. After a case that hung, at most 5; after three, no more cases run. Ten times "
            "as long under a sanitizer")
        ->check(CLI::Range(1U, 100'000U))
        ->capture_default_str();
    validate->add_option("--seed", a.seed, "Seed of the random cases; the same seed gives the same case")
        ->type_name("N")
        ->capture_default_str();
    validate->add_flag("--in-process", a.in_process,
                       "Run all cases in this process, for debuggers: a crash or a hang ends everything");
    validate->add_flag("--verbose", a.verbose, "Print the plugin's log lines on standard error");
    add_trust_option(*validate, a.allow_untrusted);
    validate->add_flag("--json", a.json, "Print JSON");
    validate->footer("Exit status: 0 no case failed, 1 a case failed, 2 the command or the plugin is unusable.");
    return validate;
}

int fail(exit_status status, std::string what) {
    say(with_limit(std::move(what)));
    return static_cast<int>(status);
}

/// A main thread that cannot grow its stack ends by a signal. This raises a limit that is too low, or returns the
/// fault.
std::string stack_fault() {
    constexpr rlim_t least = 512U * 1024U;
    rlimit limit{};
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= least) return "";
    if (limit.rlim_max >= least) {
        limit.rlim_cur = least;
        if (setrlimit(RLIMIT_STACK, &limit) == 0) return "";
    }
    return fmt::format("chimera-host: ulimit -s allows a stack of {} KB; {} KB are needed", limit.rlim_cur / 1024,
                       least / 1024);
}

/// Names the unknown words, each with the nearest known one. The word after an unknown option may be its value, perhaps
/// a secret, so it is not repeated.
std::string unknown_words(const CLI::App& app, const std::vector<std::string>& words) {
    const CLI::App* at = &app;
    std::vector<std::string> commands;
    for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
    while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
    std::vector<std::string> options;
    for (const CLI::Option* option : at->get_options([](const CLI::Option* o) { return !o->get_group().empty(); }))
        for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    std::vector<std::string> unknown = app.remaining(true);
    std::string text;
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (std::ranges::find(unknown, words[i]) == unknown.end()) continue;
        const bool is_option = words[i].starts_with('-');
        const std::string name = redacted(words[i].substr(0, words[i].find('=')));
        text += fmt::format("{}{} is not {}{}; {}", text.empty() ? "" : "\n", name,
                            is_option ? "an option of " : "an argument of ", at->get_name(),
                            suggest(name, is_option || at != &app ? options : commands));
        const bool has_value = (is_option || names_a_secret(name)) && words[i].find('=') == std::string::npos;
        if (has_value && i + 1 < words.size() && !words[i + 1].starts_with('-')) ++i;
    }
    return text + "\nRun with --help for more information.";
}

/// Prints the help, the version, or the fault of the command line.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& e, const std::vector<std::string>& words) {
    if (dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr)
        return fail(exit_status::bad_input, unknown_words(app, words));
    std::ostringstream text, complaint;
    if (app.exit(e, text, complaint) != 0) return fail(exit_status::bad_input, std::string(trimmed(complaint.str())));
    try {
        print_result(text.str());
        return 0;
    } catch (const result_file_error& unwritable) {
        return fail(exit_status::set_up, fmt::format("chimera-host: {}", unwritable.what()));
    }
}

/// The key of the command line, or else of the environment. Errors: profile_error.
std::string key_of(const key_arguments& given, std::string from_environment) {
    std::string key, from = "CHIMERA_API_KEY";
    if (!given.key.empty()) {
        key = given.key;
        from = "--api-key";
    } else if (!given.file.empty()) {
        try {
            key = read_key_file(given.file);
        } catch (const std::runtime_error& e) {
            throw profile_error({fmt::format("chimera-host: {}", e.what())});
        }
        from = "--api-key-file " + given.file;
    } else {
        key = std::move(from_environment);
    }
    hold_secret(key);
    if (const std::string fault = key_fault(key); !fault.empty())
        throw profile_error({fmt::format("chimera-host: {}: {}", from, fault)});
    return key;
}

} // namespace

int run_command_line(int argc, char** argv) {
    // First of all, so that nothing can show them and plugins and children inherit neither.
    const std::vector<std::string> words = take_arguments(argc, argv);
    std::string key_of_environment = take_variable(api_key_variable);
    // Standard output is for results.
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()));
    spdlog::default_logger()->set_formatter(make_log_formatter("%^%l%$ %v"));
    if (const std::string fault = stack_fault(); !fault.empty()) return fail(exit_status::set_up, fault);
    CLI::App app("Finds out whether your LLM client runtime is the bottleneck, and which part of it.", "chimera-host");
    app.set_version_flag("--version", fmt::format("chimera-host {}", CHIMERA_VERSION));
    app.require_subcommand(0, 1);
    app.footer("Exit status: 0 success, 1 some requests failed, 2 bad input, 3 set-up failed, 4 every request failed, "
               "130 Ctrl-C.");
    run_arguments run;
    add_run_options(app, run);
    CLI::App* run_app = app.add_subcommand("run", "Run a profile (the same as without a subcommand)");
    add_run_options(*run_app, run);
    sweep_arguments sweep;
    status_arguments sweep_status;
    CLI::App* sweep_app = add_sweep(app, sweep, sweep_status);
    selfcheck_arguments selfcheck;
    CLI::App* selfcheck_app =
        app.add_subcommand("selfcheck", "Measure how much load a profile's client can take on this machine");
    add_profile_options(*selfcheck_app, selfcheck);
    selfcheck_app
        ->add_option("--most-agents", selfcheck.most_agents,
                     "Stop at this number of agents even if the client can take more")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    selfcheck_app->add_flag("--json", selfcheck.json, "Print JSON");
    bool plugins_json = false, allow_untrusted = false;
    CLI::App* plugins_app = app.add_subcommand("plugins", "List all plugins with their files and options");
    plugins_app->add_flag("--json", plugins_json, "Print JSON");
    add_trust_option(*plugins_app, allow_untrusted);
    inspect_arguments inspect;
    CLI::App* inspect_app =
        app.add_subcommand("inspect", "Show everything about one plugin, including why it cannot be used");
    inspect_app->add_option("plugin", inspect.plugin, "Plugin file, or the id of a plugin on the search path")
        ->type_name("FILE")
        ->required();
    inspect_app->add_flag("--json", inspect.json, "Print JSON");
    add_trust_option(*inspect_app, inspect.allow_untrusted);
    report_arguments report;
    CLI::App* report_app = add_report(app, report);
    compare_arguments compare;
    CLI::App* compare_app = add_compare(app, compare);
    new_arguments new_plugin;
    CLI::App* new_app = add_new(app, new_plugin);
    validate_arguments validate;
    CLI::App* validate_app = add_validate(app, validate);
    import_arguments imported;
    CLI::App* import_app =
        app.add_subcommand("import", "Convert results of other programs, so that report and compare can read them")
            ->require_subcommand(1);
    CLI::App* tr115_app = import_app->add_subcommand("tr115", "Convert the results of the original reports");
    tr115_app->add_option("trees", imported.trees, "Folders with their results")
        ->type_name("DIR")
        ->expected(1, CLI::detail::expected_max_vector_size)
        ->required();
    tr115_app
        ->add_option("--runtime", imported.runtimes,
                     "Runs below this folder are those of this runtime (repeatable; needed where no folder is called "
                     "runtime-NAME and it is not the one above the configuration's)")
        ->type_name("FOLDER=NAME")
        ->allow_extra_args(false);
    tr115_app->add_option("--output-dir", imported.output_dir, "Folder for the converted sweep")
        ->check(is_named)
        ->type_name("DIR")
        ->required();

    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1)); // CLI11 takes them from the last
    } catch (const CLI::ParseError& e) {
        return end_of_parsing(app, e, words);
    }
    for (const CLI::App* command : app.get_subcommands())
        for (const CLI::Option* given : app.get_options())
            if (command != run_app && given->count() > 0)
                return fail(exit_status::bad_input,
                            fmt::format("chimera-host: {} is an option of a run; give it after '{}'", given->get_name(),
                                        command->get_name()));
    if (sweep_app->got_subcommand("status"))
        for (const CLI::Option* given : sweep_app->get_options())
            if (given->count() > 0)
                return fail(exit_status::bad_input,
                            fmt::format("chimera-host: {} is an option of a sweep, and 'sweep status' runs none; leave "
                                        "it out",
                                        given->get_name()));
    const auto find = [](std::filesystem::path& given, const char* example) {
        if (given.empty())
            throw profile_error(
                {fmt::format("chimera-host: --profile FILE is required (example: --profile {}; see --help)", example)});
        given = find_profile(given);
    };
    try {
        if (plugins_app->parsed()) return static_cast<int>(plugins_command(plugins_json, allow_untrusted));
        if (inspect_app->parsed()) return static_cast<int>(inspect_command(inspect));
        if (validate_app->parsed()) return static_cast<int>(validate_command(validate));
        if (report_app->parsed()) return static_cast<int>(report_command(report));
        if (compare_app->parsed()) return static_cast<int>(compare_command(compare));
        if (new_app->parsed()) return static_cast<int>(new_command(new_plugin));
        if (tr115_app->parsed()) return static_cast<int>(import_tr115_command(imported));
        if (sweep_app->got_subcommand("status"))
            return static_cast<int>(sweep_status_command(sweep_status.folder, sweep_status.json));
        if (sweep_app->parsed()) {
            find(sweep.profile, "tr115");
            sweep.api_key = key_of(sweep.key, std::move(key_of_environment));
            return static_cast<int>(sweep_command(sweep));
        }
        if (selfcheck_app->parsed()) {
            find(selfcheck.profile, "smol1kb");
            return static_cast<int>(selfcheck_command(selfcheck));
        }
        find(run.profile, "smol1kb");
        run.api_key = key_of(run.key, std::move(key_of_environment));
        return static_cast<int>(run_command(run));
    } catch (const result_file_error& e) {
        return fail(run.cell != 0 ? exit_status{cannot_write_status} : exit_status::set_up,
                    fmt::format("chimera-host: {}", e.what()));
    } catch (const profile_error& e) {
        return fail(exit_status::bad_input, e.what());
    } catch (const simulator_error& e) {
        return fail(e.bad_options() ? exit_status::bad_input : exit_status::set_up,
                    fmt::format("chimera-host: {}", e.what()));
    } catch (const results_error& e) {
        return fail(exit_status::bad_input, e.what());
    } catch (const new_error& e) {
        return fail(exit_status::bad_input, fmt::format("chimera-host new: {}", e.what()));
    } catch (const template_error& e) {
        return fail(exit_status::bad_input, e.what());
    } catch (const std::system_error& e) {
        // std::thread gives only the reason.
        const bool bare = e.what() == e.code().message();
        return fail(exit_status::set_up,
                    fmt::format("chimera-host: {}{}", bare ? "cannot start a thread: " : "", e.what()));
    } catch (const std::bad_alloc& e) {
        return fail(exit_status::set_up, fmt::format("chimera-host: out of memory: {}", e.what()));
    } catch (const std::exception& e) {
        return fail(exit_status::set_up, fmt::format("chimera-host: {}", e.what()));
    }
}

} // namespace chimera::host
