#include "cli/commands.hpp"
#include "process/messages.hpp"

int main(int argc, char** argv) {
    chimera::host::open_standard_streams();
    return chimera::host::run_command_line(argc, argv);
}
