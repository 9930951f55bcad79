// Descriptors and threads of this process, before and after.
#pragma once

#include <chrono>
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>

#include "../../../../plugin_api/conformance/kit/first_thread.hpp"
#include "loaded_plugin.hpp"

namespace curl_test {

/// First in a test: at its end, whatever the test opened has to be gone again.
class leak_check {
  public:
    leak_check() {
        factory();
        chimera::conformance::start_first_thread();
        fds_ = count("fd");
        threads_ = count("task");
    }
    leak_check(const leak_check&) = delete;
    leak_check& operator=(const leak_check&) = delete;
    ~leak_check() {
        // A resolver's thread ends a moment after its exchange.
        for (int i = 0; i < 200 && (count("task") > threads_ || count("fd") > fds_); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        CHECK(count("fd") == fds_);
        CHECK(count("task") == threads_);
    }

  private:
    static long count(const char* what) {
        const std::filesystem::directory_iterator entries(std::filesystem::path("/proc/self") / what);
        return std::distance(begin(entries), end(entries));
    }
    long fds_ = 0, threads_ = 0;
};

/// The code and the message of the failure that f() has to end with.
template <class F>
error failure_of(F f) {
    try {
        f();
    } catch (const error& e) {
        return e;
    }
    return {CHM_OK, "nothing failed"};
}

} // namespace curl_test
