// Where results go when no file is named.
#pragma once

#include <string_view>

namespace chimera::host {

/// Writes a result to standard output. Throws result_file_error when it cannot be written.
void print_result(std::string_view);

} // namespace chimera::host
