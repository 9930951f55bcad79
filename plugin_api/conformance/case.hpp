// A conformance case, and the table of all cases.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace chimera::conformance {

class environment;

/// The plugins that a case applies to.
enum class kind {
    plugin,      ///< the entry and its factories: every plugin
    instance,    ///< an instance of a factory: every plugin, after one instance was made and destroyed
    executor,    ///< an executor factory
    reactor,     ///< an executor factory; skipped where its executors have no reactor
    bridge,      ///< an executor factory; skipped where its executors have no bridge, or no foreign executor was given
    transport,   ///< a transport factory
    coordinator, ///< a coordinator factory
};

/// One rule of the contract and the function that tries to break it.
struct test_case {
    std::string_view name;     ///< subject.what, unique
    enum kind kind;            ///< the plugins that it applies to
    std::string_view sentence; ///< the rule, as a sentence without a full stop
    void (*run)(environment&); ///< throws failure, skipped or unwise
};

/// Every case, subject by subject, the cheapest subjects first.
const std::vector<test_case>& all_cases();

// One table for each file of cases/.
std::span<const test_case> entry_cases();
std::span<const test_case> option_cases();
std::span<const test_case> lifecycle_cases();
std::span<const test_case> task_cases();
std::span<const test_case> waker_cases();
std::span<const test_case> spawning_cases();
std::span<const test_case> stop_cases();
std::span<const test_case> service_cases();
std::span<const test_case> fairness_cases();
std::span<const test_case> timer_cases();
std::span<const test_case> readiness_cases();
std::span<const test_case> registration_cases();
std::span<const test_case> race_cases();
std::span<const test_case> idle_cases();
std::span<const test_case> last_wake_cases();
std::span<const test_case> receive_cases();
std::span<const test_case> exchange_cases();
std::span<const test_case> framing_cases();
std::span<const test_case> promptness_cases();
std::span<const test_case> reuse_cases();
std::span<const test_case> failure_cases();
std::span<const test_case> session_cases();
std::span<const test_case> size_cases();
std::span<const test_case> multiplexing_cases();
std::span<const test_case> scheme_cases();
std::span<const test_case> bridge_cases();
std::span<const test_case> group_cases();
std::span<const test_case> message_cases();
std::span<const test_case> departure_cases();
std::span<const test_case> decision_cases();
std::span<const test_case> random_cases();

} // namespace chimera::conformance
