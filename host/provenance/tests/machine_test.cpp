#include "provenance/collect.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <regex>

#include <unistd.h>

using namespace chimera::host;
using chimera::test::temporary_folder;

namespace {

bool is_utc(const std::string& text) {
    return std::regex_match(text, std::regex("20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z"));
}

} // namespace

TEST_CASE("this machine tells its name, kernel, memory and CPUs") {
    const machine_identity m = this_machine();
    std::array<char, 256> name{};
    REQUIRE(gethostname(name.data(), name.size() - 1) == 0);
    CHECK(m.host_name == name.data());
    CHECK(m.kernel.value_or("").find('.') != std::string::npos);
    CHECK(m.memory_bytes.value_or(0) > 1U << 28U);
    CHECK(m.usable_cpus.value_or(0) >= 1);
    CHECK(m.libc.value_or("").starts_with("glibc 2."));
    CHECK(m == this_machine());
}

TEST_CASE("a machine that tells nothing has absent members, not empty ones") {
    const temporary_folder nothing;
    const machine_identity m = this_machine(nothing.path());
    CHECK_FALSE(m.host_name);
    CHECK_FALSE(m.cpu_model);
    CHECK_FALSE(m.governor);
    CHECK_FALSE(m.memory_bytes);
    CHECK_FALSE(m.kernel);
    CHECK_FALSE(m.hypervisor);
    CHECK_FALSE(m.container);
    nothing.write("proc/sys/kernel/hostname", " \n");
    CHECK_FALSE(this_machine(nothing.path()).host_name);
}

TEST_CASE("a machine as its files describe it") {
    const temporary_folder root;
    root.write("proc/sys/kernel/hostname", "node-7\n");
    root.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
    root.write("proc/meminfo", "MemTotal:        8047892 kB\nMemFree: 1 kB\n");
    root.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nflags\t\t: fpu vme sse2\n");
    root.write("run/systemd/container", "lxc\n");
    for (int cpu = 0; cpu < 256; ++cpu)
        root.write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/scaling_governor", "performance\n");
    const machine_identity m = this_machine(root.path());
    CHECK(m.host_name == "node-7");
    CHECK(m.kernel == "6.1.0-18-amd64");
    CHECK(m.memory_bytes == std::uint64_t{8047892} * 1024);
    CHECK(m.cpu_model == "AMD EPYC 7B13");
    CHECK(m.governor == "performance");
    CHECK(m.container == "lxc");
#if defined(__x86_64__)
    CHECK(m.hypervisor == "none");
    root.write("proc/cpuinfo", "flags\t\t: fpu hypervisor sse2\n");
    root.write("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    root.write("sys/class/dmi/id/product_name", "m5.large\n");
    const std::string hypervisor = this_machine(root.path()).hypervisor.value_or("");
    CHECK(hypervisor != "none");
    CHECK(hypervisor.ends_with(" (Amazon EC2 m5.large)"));
#endif
}

TEST_CASE("a container is told by what its runtime leaves behind") {
    const temporary_folder docker, podman, kubernetes;
    docker.write(".dockerenv", "");
    podman.write("run/.containerenv", "");
    kubernetes.write("proc/1/cgroup", "0::/kubepods.slice/kubepods-pod1.slice\n");
    CHECK(this_machine(docker.path()).container == "docker");
    CHECK(this_machine(podman.path()).container == "podman");
    CHECK(this_machine(kubernetes.path()).container == "kubepods");
}

TEST_CASE("the build tells its version and compiler, and its commit as Git abbreviates it") {
    const build_identity b = this_build();
    CHECK(std::regex_match(b.version, std::regex("[0-9]+[.][0-9]+[.][0-9]+")));
    CHECK(std::regex_match(b.compiler, std::regex("[A-Za-z]+ [0-9.]+")));
    CHECK_FALSE(b.build_type.empty());
    if (b.commit) CHECK(std::regex_match(*b.commit, std::regex("[0-9a-f]{12,40}[+]?")));
}

TEST_CASE("a time is UTC") { CHECK(is_utc(utc_now())); }
