// The subcommands of chimera-host as functions, one for each, with their arguments. command_line.cpp parses them.
#pragma once

#include "profile/load.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chimera::host {

/// The exit status of the process, documented in docs/output.md.
enum class exit_status : int {
    success = 0,
    some_failed = 1,  ///< a request failed, the time limit passed, or an alert tripped and alerts.fail is set
    regression = 1,   ///< `compare`: a metric is worse by more than allowed, or more runs failed
    broken_rule = 1,  ///< `validate`: the plugin broke a rule of the contract
    bad_input = 2,    ///< the command line, the profile or the plugin is wrong, or results are damaged or incomplete
    set_up = 3,       ///< good input, but an executor, a transport, a simulator or the output folder failed
    all_failed = 4,   ///< every request failed
    interrupted = 130 ///< Ctrl-C or SIGTERM
};

/// [main thread, once] main() as a function: parses the arguments and runs the command. Overwrites secrets in the
/// arguments and removes CHIMERA_API_KEY from the environment. Never throws. Returns the exit status.
int run_command_line(int argc, char** argv);

// ---- run, selfcheck: commands that run a profile (run_commands.cpp)

/// The options that name an API key.
struct key_arguments {
    std::string key;
    std::string file; ///< a file or a pipe that contains the key
};

struct run_arguments {
    std::filesystem::path profile;
    profile_overrides overrides;
    std::filesystem::path output_dir = "results";
    std::string ui = "auto"; ///< auto, plain or none
    key_arguments key;
    std::string api_key;                       ///< from `key` or the environment; never written anywhere
    std::filesystem::path trace;               ///< a file; empty: no trace
    std::optional<int> metrics_port;           ///< 0: any free port; nothing: no live metrics
    std::string metrics_address = "127.0.0.1"; ///< IPv4 or IPv6, without brackets
    int cell = 0;                              ///< not 0: this run only, for a sweep; results go beside the profile
    bool ask_servers = false;                  ///< for a sweep: print what the servers say of themselves, run nothing
    bool json = false;                         ///< print the summary as JSON
    bool dry_run = false;                      ///< print the resolved profile and the plan, run nothing
    bool allow_untrusted = false;
};

/// Throws profile_error, template_error and simulator_error with bad_options (bad input); other std::exceptions
/// (set-up).
exit_status run_command(const run_arguments&);

struct selfcheck_arguments {
    std::filesystem::path profile;
    profile_overrides overrides;
    std::size_t most_agents = 512;
    bool json = false;
    bool dry_run = false; ///< print the resolved profile, run nothing
    bool allow_untrusted = false;
};

/// Measures how much load this client can take on this machine. Returns success even if the client is too slow for the
/// profile, because that is the answer; all_failed if a request of the profile's own load failed. Throws like
/// run_command.
exit_status selfcheck_command(const selfcheck_arguments&);

// ---- sweep (sweep_commands.cpp)

struct sweep_arguments {
    std::filesystem::path profile;
    profile_overrides overrides;
    std::filesystem::path output_dir = "results";
    std::string only; ///< shell pattern of runtime/config or runtime/config/run_N; empty: all
    key_arguments key;
    std::string api_key; ///< from `key` or the environment; never written anywhere
    int jobs = 1;        ///< cells at a time
    bool resume = false;
    bool retry_failed = false; ///< with resume: run cells that did not succeed again
    bool dry_run = false;      ///< print the cells in their order, or with resume those that are left; run nothing
    bool no_preflight = false; ///< begin without looking at servers, disk, clock and governor
    bool allow_untrusted = false;
    std::optional<int> metrics_port;           ///< 0: any free port; nothing: no metrics
    std::string metrics_address = "127.0.0.1"; ///< IPv4 or IPv6, without brackets
    std::optional<int> live_page;              ///< the port of the live page; nothing: none
};

/// Throws profile_error (bad input) and other std::exceptions (set-up).
exit_status sweep_command(const sweep_arguments&);

/// `sweep status DIR`: prints how far a sweep is. Throws results_error (bad input).
exit_status sweep_status_command(const std::filesystem::path& folder, bool as_json);

// ---- report, compare, import: commands that read results (results_commands.cpp)

struct report_arguments {
    std::filesystem::path results;
    std::string format = "md";
    std::string only;                          ///< shell pattern of the runs to analyse; empty: all
    std::vector<std::filesystem::path> claims; ///< files of questions (questions/read.hpp)
    std::filesystem::path output;              ///< empty: standard output
};

/// The values of --format.
std::vector<std::string> report_formats();

/// Returns bad_input if runs or files are missing or damaged: the report covers the rest, and both the report and
/// standard error say so. Throws results_error (bad input); std::system_error if the output cannot be written (set-up).
exit_status report_command(const report_arguments&);

struct compare_arguments {
    std::vector<std::filesystem::path> results; ///< two or more; the first is the baseline
    std::vector<std::string> metrics;           ///< empty: the default ones
    std::vector<std::string> same;              ///< "NAME_IN_FIRST=NAME_IN_SECOND=..."
    std::optional<double> fail_on_regression;   ///< percent
    bool json = false;
};

/// Prints the comparison to standard output and warnings to standard error. Returns regression if a metric is
/// detectably worse than in the baseline by more than fail_on_regression, or if a higher share of runs failed.
/// Otherwise returns bad_input if runs or files are missing or damaged; the rest was compared. Throws results_error
/// (bad input).
exit_status compare_command(const compare_arguments&);

struct import_arguments {
    std::vector<std::filesystem::path> trees;
    std::vector<std::string> runtimes; ///< FOLDER=NAME each
    std::filesystem::path output_dir;
};

/// `import tr115`: converts the results of the original reports. Prints the number of imported runs, and warns where
/// the files contradict each other. Throws results_error (bad input); std::system_error if the output cannot be written
/// (set-up).
exit_status import_tr115_command(const import_arguments&);

// ---- plugins, inspect: commands that list plugins (plugin_commands.cpp)

/// Lists every plugin that can be loaded, with its options. A file that cannot be used is listed with the reason, which
/// is not an error. Plugins run in child processes only.
exit_status plugins_command(bool as_json, bool allow_untrusted);

struct inspect_arguments {
    std::string plugin; ///< a file, or the id of a plugin on the search path
    bool json = false;
    bool allow_untrusted = false;
};

/// Prints everything about one plugin file, usable or not. The reason why it cannot be used goes to standard error, and
/// with --json into the document too. The plugin runs in a child process, and only if the file passed every check.
/// Returns bad_input if the plugin cannot be used.
exit_status inspect_command(const inspect_arguments&);

// ---- new (new_command.cpp)

struct new_arguments {
    std::string kind, name, lang = "cpp";
    std::filesystem::path folder; ///< empty: ./NAME
};

/// Nothing was written. what() says why, and what to do.
struct new_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Copies the template of this kind and language, renamed, and prints the next steps. Either the whole folder is
/// written or nothing. Throws new_error for a bad argument or missing templates, and result_file_error.
exit_status new_command(const new_arguments&);

// ---- validate (validate_command.cpp)

struct validate_arguments {
    std::string plugin; ///< a file, or an id on the search path
    std::vector<std::string> globs{"*"};
    std::vector<std::string> options; ///< KEY=VALUE each
    std::string executor;             ///< executor plugin that runs a transport; empty: the kit's own
    std::string foreign = "thread_pool", transport = "socket";
    std::string over; ///< "tcp", "unix" or "tls", to test a transport over; empty: the first that it offers
    unsigned limit_s = 30;
    std::uint64_t seed = 1;
    bool list = false;
    bool only_failed = false; ///< hide cases that passed or were skipped
    bool fail_fast = false;   ///< stop after the first case that failed, crashed or hung
    bool in_process = false;
    bool verbose = false;
    bool allow_untrusted = false;
    bool json = false;
};

/// [main thread, no other thread running, because cases run in forked children] Prints the verdict of each case as it
/// comes, or one JSON document at the end. Returns broken_rule if a case failed, crashed or hung; bad_input, with a
/// message on standard error and in the document, if the plugin or the command is unusable. Throws result_file_error.
exit_status validate_command(const validate_arguments&);

} // namespace chimera::host
