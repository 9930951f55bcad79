#include "cli/import_command.hpp"

#include "cli/standard_output.hpp"
#include "protocol/excerpt.hpp"
#include "study/import_tr115.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace chimera::host {

exit_status import_tr115_command(const std::filesystem::path& tree, const std::filesystem::path& output_dir) {
    const import_outcome outcome = import_tr115(tree, output_dir);
    for (const std::string& w : outcome.warnings) spdlog::warn("{}", w);
    print_result(fmt::format("imported to {}: runs {}, runtimes {}, configurations {}\nchimera-host report {}\n",
                             on_one_line(output_dir.string()), outcome.runs, outcome.runtimes, outcome.configs,
                             shell_word(output_dir.string())));
    return exit_status::success;
}

} // namespace chimera::host
