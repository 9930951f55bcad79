#include "cli/standard_output.hpp"

#include "report/whole_file.hpp"

#include <cerrno>
#include <cstdio>

namespace chimera::host {

void print_result(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw result_file_error(errno, std::generic_category(), "standard output cannot be written");
}

} // namespace chimera::host
