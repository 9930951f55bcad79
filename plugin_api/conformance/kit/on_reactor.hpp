// Running a coroutine wherever a reactor may be used.
#pragma once

#include "environment.hpp"

namespace chimera::conformance {

/// What a reactor case does: a coroutine that throws failure when a rule is broken.
using reactor_body = sdk::task<void> (*)(chm_reactor*, environment&);

/// Runs the coroutine as a task of an executor, and then, where the reactor is for any thread, on a thread of the kit's
/// own that parks, beside the running executor. Throws skipped where there is no reactor. bare: it gets the reactor as
/// the plugin gave it, without what watches it.
void on_every_thread(environment&, reactor_body, bool bare = false);

/// Runs the coroutine as `tasks` tasks of one executor.
void inside_tasks(environment&, reactor_body, unsigned tasks = 1);

/// [any thread that is no worker] Polls the coroutine to its end here; sleeps between wakes. Rethrows what it throws.
void block_on(sdk::task<void>);

/// Lets the executor do something else for a while, until condition() holds; throws failure when it takes too long.
template <class Condition>
sdk::task<void> yield_until(Condition condition, std::string_view what, unsigned limit_s = 10) {
    const std::uint64_t limit = sdk::now_ns() + (sanitized ? 10 : 1) * limit_s * 1'000'000'000ULL;
    while (!condition()) {
        expect(sdk::now_ns() < limit, std::string("waited in vain: ") + std::string(what));
        sdk::yield_now once;
        co_await once;
    }
}

} // namespace chimera::conformance
