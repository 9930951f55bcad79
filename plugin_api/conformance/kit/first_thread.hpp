// The one thread that a count of threads must not meet.
#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace chimera::conformance {

/// To be called before threads are counted: a sanitizer brings one of its own with the first that a program starts.
/// Returns when that first one is not listed any more, as a joined thread may be for a moment, and for longer on a busy
/// machine.
inline void start_first_thread() {
    pid_t id = 0;
    std::thread([&id] { id = gettid(); }).join();
    const std::filesystem::path listed = "/proc/self/task/" + std::to_string(id);
    while (std::filesystem::exists(listed)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

} // namespace chimera::conformance
