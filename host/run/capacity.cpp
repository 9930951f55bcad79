#include "run/capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include <sys/resource.h>

namespace chimera::host {
namespace {

/// Files other than connections: plugins, logs, results, the executor's own (one or two for each worker).
constexpr std::uint64_t files_beside_connections = 256;
/// Task, connection, reply and measurements with the most expensive pair of plugins (fiber and curl), rounded up.
constexpr std::uint64_t bytes_of_agent = 256 * 1024;

void raise_open_files(std::uint64_t agents) {
    const rlim_t needed = agents + files_beside_connections;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
    const rlimit wanted{needed, std::max(needed, limit.rlim_max)};
    const rlimit allowed{needed, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, limit.rlim_max >= needed ? &allowed : &wanted) == 0) return;
    throw std::runtime_error(fmt::format("{} agents need about {} open files, and this process may open {}: raise the "
                                         "limit (ulimit -n {}, or LimitNOFILE of its service), or take fewer agents",
                                         agents, needed, limit.rlim_max, needed));
}

/// A client needs a port of its own for each connection to one server address.
void check_ports(const profile& p) {
    std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
    std::uint64_t low = 0, high = 0;
    if (!(range >> low >> high)) return;
    const std::uint64_t ports = high - low + 1;
    std::map<std::string, std::uint64_t> agents_of;
    std::uint64_t simulated = 0;
    for (const agent_spec& a : p.workload.agents) a.url.empty() ? ++simulated : ++agents_of[a.url];
    if (p.backend.instances > 0) {
        const auto instances = static_cast<std::uint64_t>(p.backend.instances);
        agents_of["a simulator"] = (simulated + instances - 1) / instances;
    }
    for (const auto& [server, agents] : agents_of)
        if (agents > ports)
            throw std::runtime_error(fmt::format(
                "{} agents on {} need as many ports, and there are {} (net.ipv4.ip_local_port_range): take "
                "fewer agents, more servers (backend.urls, backend.simulator.instances), or widen the range",
                agents, server, ports));
}

void check_memory(std::uint64_t agents) {
    std::ifstream info("/proc/meminfo");
    std::string name, unit;
    for (std::uint64_t kb = 0; info >> name >> kb >> unit;) {
        if (name != "MemAvailable:") continue;
        if (agents * bytes_of_agent > kb * 1024)
            throw std::runtime_error(fmt::format("{} agents may need {} MB, and {} MB are free: take fewer agents",
                                                 agents, agents * bytes_of_agent >> 20U, kb / 1024));
        return;
    }
}

} // namespace

void make_room_for(const profile& p) {
    const auto agents = static_cast<std::uint64_t>(p.workload.agents.size());
    raise_open_files(agents);
    check_ports(p);
    check_memory(agents);
}

} // namespace chimera::host
