#include "case.hpp"

namespace chimera::conformance {

const std::vector<test_case>& all_cases() {
    static const std::vector<test_case> table = [] {
        std::vector<test_case> all;
        for (const auto& part :
             {entry_cases(),     option_cases(),       lifecycle_cases(), task_cases(),         waker_cases(),
              spawning_cases(),  stop_cases(),         service_cases(),   fairness_cases(),     timer_cases(),
              readiness_cases(), registration_cases(), race_cases(),      idle_cases(),         last_wake_cases(),
              receive_cases(),   exchange_cases(),     framing_cases(),   promptness_cases(),   reuse_cases(),
              failure_cases(),   session_cases(),      size_cases(),      multiplexing_cases(), scheme_cases(),
              bridge_cases(),    group_cases(),        message_cases(),   departure_cases(),    decision_cases(),
              random_cases()})
            all.insert(all.end(), part.begin(), part.end());
        return all;
    }();
    return table;
}

} // namespace chimera::conformance
