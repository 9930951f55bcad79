// What can be known to go wrong before the first cell of a sweep: servers, models, disk, clock, CPU frequency.
#pragma once

#include "sweep/definition.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

struct preflight {
    std::vector<std::string> errors;   ///< no cell would succeed, or none could be kept: what, and what to do
    std::vector<std::string> warnings; ///< figures may mislead, or the disk may become full
    std::vector<std::string> found;    ///< what is in order: each server with its version and models
    bool interrupted = false;          ///< SIGINT or SIGTERM came: the rest was not looked at
};

struct preflight_settings {
    std::filesystem::path folder;       ///< where the results go; it need not be there
    std::filesystem::path program;      ///< chimera-host
    std::vector<std::string> arguments; ///< for `run`, as the cells get them
    std::string api_key;
    std::vector<sweep_cell> cells; ///< that are to be run; servers of others are not asked
};

/// [take_over_signals was called] All checks. A server is asked by a `chimera-host run` of its own, with executor and
/// transport of a cell that uses it, since only these know the way: TLS, proxies, headers. Takes some 100 ms for each
/// server and model, up to 10 s for one that does not answer. Throws std::system_error where no process can be started.
preflight look_before_sweep(const sweep_definition&, const preflight_settings&);

// ---- its parts, for tests

/// Bytes that are free for this process where the folder is, or is going to be; nothing: the system does not say.
std::optional<std::uint64_t> free_bytes(const std::filesystem::path& folder);
/// The mean size of the finished runs below a sweep's folder, from some of them; nothing: there are none.
std::optional<std::uint64_t> bytes_of_a_run(const std::filesystem::path& folder);
/// Judges the disk. needed: for all cells, where known.
void judge_disk(std::uint64_t free, std::optional<std::uint64_t> needed, const std::filesystem::path& folder,
                preflight&);
/// A warning where the kernel says that nothing keeps its clock right; empty: it is kept, or the kernel does not say.
std::string clock_warning();
/// A warning where the CPUs may change their frequency. governor: as provenance has it.
std::string governor_warning(const std::optional<std::string>& governor);

} // namespace chimera::host
