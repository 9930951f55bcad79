#pragma once
#include <chimera/abi/option.h>
#include <span>

/// The options of a simulator: one table for its own command line (`--load-ms`) and for the profiles of a host that
/// starts it (`load_ms`). How a process is run (--listen, --shared-gpu, ...) is not in it.
namespace chimera::sim {

/// Options with one value each, all with a default.
std::span<const chm_option> option_table();

/// Options that may be given any number of times, none by default. All are strings.
std::span<const chm_option> repeatable_option_table();

} // namespace chimera::sim
