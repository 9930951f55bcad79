#include "live/resident_memory.hpp"

#include <fstream>

#include <unistd.h>

namespace chimera::host {

double resident_memory_bytes() {
    std::ifstream statm("/proc/self/statm");
    double size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

} // namespace chimera::host
