#include "quic/station.hpp"

#include "quic/hub_station.hpp"
#include "quic/member_station.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

namespace chimera::quic {

namespace {
constexpr std::uint64_t farewell_ns = 1'000'000'000;
}

station::station(const chm_endpoint_args& args, const station_options& o)
    : options_(o), address_(sdk::view(args.address)) {}

bool station::is_ready() {
    if (failure_) throw *failure_;
    if (!core().lost().empty()) throw sdk::error(CHM_E_CLOSED, core().lost());
    return is_in();
}

void station::wake_driver() {
    if (driver_woken || !driver) return;
    driver_woken = true;
    lock.woken.push_back(driver);
}

void station::add_stats(chm_endpoint_stats& out) const noexcept {
    out.network_ns += network_ns;
    out.driver_ns += driver_ns;
    out.lost += lost_packets();
    out.writes += writes;
    out.bytes_sent += bytes;
}

void station::close(std::uint64_t now) {
    closing = true;
    gives_up_at_ = now + farewell_ns;
    core().leave();
    wake_driver();
}

void station::fail(chm_rc rc, std::string why) {
    if (!failure_) failure_ = sdk::error(rc, why);
    core().link_failed(failure_->what());
    core().inbox.wake_all();
}

std::shared_ptr<station> make_station(const chm_endpoint_args& args, const station_options& o) {
    group::membership m = group::read_membership(args);
    if (m.is_hub()) return std::make_shared<hub_station>(args, o, std::move(m));
    return std::make_shared<member_station>(args, o, std::move(m));
}

} // namespace chimera::quic
