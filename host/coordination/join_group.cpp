#include "coordination/join_group.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <optional>

namespace chimera::host {

namespace {

constexpr std::uint64_t retry_ns = 100'000'000;

bool may_pass(chm_rc rc) noexcept {
    return rc == CHM_E_CONNECT || rc == CHM_E_PROTO || rc == CHM_E_TIMEOUT || rc == CHM_E_CLOSED;
}

} // namespace

sdk::task<std::unique_ptr<sdk::endpoint>> join_group(const group_environment& env, std::int32_t number) {
    const std::uint64_t gives_up = sdk::now_ns() + group_patience_ns;
    for (;;) {
        std::optional<sdk::error> refused;
        std::unique_ptr<sdk::endpoint> joined;
        try {
            std::string address = env.what.workload.coordination.address;
            if (env.group.runs_here(CHM_TO_HUB)) {
                hub_address::known published(env.address);
                address = co_await published;
            }
            chm_endpoint_args args = env.group.args_for(number);
            args.executor = env.executor;
            args.reactor = env.reactor;
            args.address = sdk::str(address);
            joined = std::make_unique<sdk::endpoint>(env.coordinator, args);
            auto entering = joined->ready();
            co_await entering;
        } catch (const sdk::error& e) {
            refused = e;
        }
        if (!refused) co_return joined;
        joined.reset();
        if (!may_pass(refused->code()) || !env.group.is_split() || sdk::now_ns() + retry_ns > gives_up) throw *refused;
        auto pausing = env.thinking.until(sdk::now_ns() + retry_ns);
        co_await pausing;
    }
}

} // namespace chimera::host
