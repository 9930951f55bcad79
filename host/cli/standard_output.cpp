#include "cli/standard_output.hpp"

#include "report/whole_file.hpp"

#include <unistd.h>

namespace chimera::host {

void print_result(std::string_view text) { write_all(STDOUT_FILENO, text, "standard output cannot be written"); }

} // namespace chimera::host
