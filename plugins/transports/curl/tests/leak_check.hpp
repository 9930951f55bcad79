// Descriptors and threads of this process, before and after.
#pragma once

#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "conformance/kit/census.hpp"
#include "conformance/scripted_server/scripted_server.hpp"
#include "loaded_plugin.hpp"

namespace curl_test {

using chimera::conformance::full_listener;
using chimera::conformance::one_by_one_server;
using chimera::conformance::peer;
using chimera::conformance::server_room;

/// First in a test: at its end, whatever the test opened has to be gone again.
class leak_check {
  public:
    leak_check() {
        factory();
        chimera::conformance::start_first_thread();
        // A resolver's thread of the test before may still be there, with a descriptor of its own.
        for (int i = 0; i < 250; ++i) {
            const auto before = chimera::conformance::census::take();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            held_ = chimera::conformance::census::take();
            if (held_.descriptors == before.descriptors && held_.threads == before.threads) break;
        }
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
