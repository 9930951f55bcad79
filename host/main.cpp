#include "cli/command_line.hpp"
#include "process/standard_streams.hpp"

int main(int argc, char** argv) {
    chimera::host::open_standard_streams();
    return chimera::host::run_command_line(argc, argv);
}
