// Descriptors and threads of this process, before and after.
#pragma once

#include <chrono>

#include <doctest/doctest.h>

#include "../../../../plugin_api/conformance/kit/census.hpp"
#include "loaded_plugin.hpp"

namespace curl_test {

/// First in a test: at its end, whatever the test opened has to be gone again.
class leak_check {
  public:
    leak_check() {
        factory();
        chimera::conformance::start_first_thread();
        held_ = chimera::conformance::census::take();
    }
    leak_check(const leak_check&) = delete;
    leak_check& operator=(const leak_check&) = delete;
    ~leak_check() {
        // A resolver's thread ends a moment after its exchange.
        CHECK(held_.left_over_after(std::chrono::seconds(5)) == "");
        CHECK(chimera::conformance::census::take().descriptors == held_.descriptors); // nor was another's closed
    }

  private:
    chimera::conformance::census held_;
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
