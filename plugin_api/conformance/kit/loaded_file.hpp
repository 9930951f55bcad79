// What the loader knows of a plugin's file: its own dynamic section, not the file on disk.
#pragma once

#include <string>
#include <vector>

namespace chimera::conformance {

struct loaded_file {
    std::vector<std::string> exported; ///< defined dynamic symbols that others may bind to, sorted
    bool no_delete = false;            ///< linked with -z nodelete
    bool text_relocations = false;     ///< the loader had to write into its code
    bool executable_stack = false;     ///< asks for one

    /// The file that is mapped at this address. Throws std::runtime_error when there is none.
    static loaded_file at(const void* address);
};

} // namespace chimera::conformance
