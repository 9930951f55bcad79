#include "provenance/cost_meter.hpp"

#include "provenance/collect.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/owned_fd.hpp>

#include <array>
#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace chimera::host {
namespace {

double seconds(const timeval& from, const timeval& to) {
    return static_cast<double>(to.tv_sec - from.tv_sec) + static_cast<double>(to.tv_usec - from.tv_usec) / 1e6;
}

/// Sets VmHWM to the memory in use now (proc(5), clear_refs, since Linux 4.0). A process that holds a secret may not.
bool reset_peak_memory() {
    const sdk::owned_fd file(open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
    return file && write(file.get(), "5", 1) == 1;
}

std::optional<std::uint64_t> peak_memory() {
    std::ifstream status("/proc/self/status");
    constexpr std::string_view key = "VmHWM:";
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024; // "1234 kB"
    return std::nullopt;
}

} // namespace

std::optional<cost_meter::machine_time> cost_meter::read_machine_time() {
    // "cpu user nice system idle iowait irq softirq steal guest guest_nice"; the last two are part of user and nice.
    std::ifstream stat("/proc/stat");
    std::string word;
    std::array<std::uint64_t, 8> ticks{};
    if (!(stat >> word) || word != "cpu") return std::nullopt;
    machine_time out;
    for (std::uint64_t& t : ticks) {
        if (!(stat >> t)) return std::nullopt;
        out.all += t;
    }
    out.stolen = ticks.back();
    return out;
}

cost_meter::cost_meter()
    : begun_(utc_now()), begin_ns_(sdk::now_ns()), peak_was_reset_(reset_peak_memory()), machine_(read_machine_time()) {
    getrusage(RUSAGE_SELF, &process_);
}

execution_cost cost_meter::finish(std::uint64_t first_polled) const {
    execution_cost out;
    out.begun = begun_;
    if (rusage now{}; getrusage(RUSAGE_SELF, &now) == 0) {
        out.cpu_user_s = seconds(process_.ru_utime, now.ru_utime);
        out.cpu_system_s = seconds(process_.ru_stime, now.ru_stime);
    }
    out.peak_memory_bytes = peak_memory();
    out.peak_is_of_process = !peak_was_reset_;
    if (first_polled > begin_ns_) out.start_up_s = static_cast<double>(first_polled - begin_ns_) / 1e9;
    const std::optional<machine_time> machine = read_machine_time();
    if (machine && machine_ && machine->all > machine_->all && machine->stolen >= machine_->stolen)
        out.steal_pct = static_cast<double>(machine->stolen - machine_->stolen) /
                        static_cast<double>(machine->all - machine_->all) * 100;
    return out;
}

} // namespace chimera::host
