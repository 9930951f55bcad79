#pragma once
#include "profile/options.hpp"
#include <chimera/abi/executor.h>
#include <chimera/abi/transport.h>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// Finds plugins, checks them before any of their code runs, loads them and makes instances.
namespace chimera::host {

/// A plugin is not usable, or refused to make an instance. what() names the plugin or its file, what was found, what
/// was expected and what to do. rc(): the plugin's own code where it failed itself, otherwise CHM_E_FAIL.
class plugin_error : public std::runtime_error {
  public:
    plugin_error(const std::string& text, chm_rc rc) : std::runtime_error(text), rc_(rc) {}
    chm_rc rc() const { return rc_; }

  private:
    chm_rc rc_;
};

struct plugin_host;
class checked_file;

/// A loaded and initialized plugin. Its code stays mapped until the process ends. deinit is called when the registry
/// and all instances are gone.
class plugin {
  public:
    ~plugin();
    plugin(const plugin&) = delete;
    plugin& operator=(const plugin&) = delete;

    const std::filesystem::path& path() const { return path_; } ///< absolute, links resolved
    const chm_plugin_entry& entry() const { return *entry_; }
    bool offers(plugin_kind) const;
    /// The option schema of one kind; empty where it is not offered. Alive until the process ends.
    std::span<const chm_option> options(plugin_kind) const;

  private:
    friend class registry;
    friend std::shared_ptr<const plugin> initialize_plugin(const std::filesystem::path&, const chm_plugin_entry&,
                                                           const std::function<void(const char*)>&);
    plugin(std::filesystem::path, const chm_plugin_entry&);

    std::filesystem::path path_;
    const chm_plugin_entry* entry_;
    std::unique_ptr<plugin_host> host_;
    const chm_executor_factory* executor_ = nullptr;
    const chm_transport_factory* transport_ = nullptr;
    std::span<const chm_option> executor_options_, transport_options_;
    bool initialized_ = false;
};

/// Destroys an instance, then lets go of its plugin.
struct executor_destroy {
    std::shared_ptr<const plugin> from;
    void operator()(chm_executor*) const;
};
struct transport_destroy {
    std::shared_ptr<const plugin> from;
    void operator()(chm_transport*) const;
};
using executor_ptr = std::unique_ptr<chm_executor, executor_destroy>;
using transport_ptr = std::unique_ptr<chm_transport, transport_destroy>;

struct plugin_listing;

/// The folders of CHIMERA_PLUGIN_PATH, separated by ':'. Folders need not exist. None where the process was started
/// with more rights than its caller has.
std::vector<std::filesystem::path> plugin_path_of_environment();

/// Where the host's own plugins are: ../lib/chimera beside the running program's folder, then the installation's
/// folder.
std::vector<std::filesystem::path> own_plugin_path();

struct registry_settings {
    std::vector<std::filesystem::path> search =
        plugin_path_of_environment();                           ///< two files of one name here are an error
    std::vector<std::filesystem::path> own = own_plugin_path(); ///< searched after those; the first file found is taken
    bool allow_untrusted = false;                               ///< also load files that others may write or own
    std::chrono::milliseconds trial_limit{5000};                ///< for a plugin to load and initialize itself
};

/// One per process: a plugin is initialized once for each registry that loads it. Thread: the main thread, except that
/// instances may be created and destroyed where the contract allows it.
class registry {
  public:
    explicit registry(registry_settings = {});
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    /// The plugin called `name`, loaded at the first call. A name with a '/' or ending in ".so" is a file, relative to
    /// directory, then to the working directory; otherwise an id, and its file `<id>.so` is looked for in directory
    /// (the profile's folder; may be empty), then along the search path. It is first tried in a child process (see
    /// try_plugins), so no other thread may run yet. Errors: plugin_error.
    std::shared_ptr<const plugin> load(plugin_kind, const std::string& name,
                                       const std::filesystem::path& directory = {});

    /// [no other thread running] Tries the plugins that load() is going to be asked for in one child process for all,
    /// as each child costs a millisecond. Says nothing: what is wrong with one, load() says.
    void try_ahead(std::span<const std::string> names, const std::filesystem::path& directory = {});

    /// The file that load() takes for this name, as it was found. Errors: plugin_error.
    std::filesystem::path locate(const std::string& name, const std::filesystem::path& directory = {}) const;
    /// The same, checked as far as can be before any of its code runs. Errors: plugin_error.
    std::shared_ptr<const checked_file> find(const std::string& name,
                                             const std::filesystem::path& directory = {}) const;

    /// A new instance. options: a value for every key of the plugin's schema, as a resolved profile holds them.
    /// Errors: plugin_error.
    static executor_ptr create_executor(const std::shared_ptr<const plugin>&, std::span<const option_value> options);
    static transport_ptr create_transport(const std::shared_ptr<const plugin>&, std::span<const option_value> options);

    /// Every *.so in directory and along the search path, tried in a child process to see what it is; never throws for
    /// a bad file. None is loaded here.
    std::vector<plugin_listing> list(const std::filesystem::path& directory = {}) const;

  private:
    std::shared_ptr<const plugin> open(const std::filesystem::path&);
    std::shared_ptr<const checked_file> checked(const std::filesystem::path&) const;

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace chimera::host
