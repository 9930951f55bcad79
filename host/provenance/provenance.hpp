// Where a result comes from: the machine, the build, the plugins, the servers, and the cost of each execution. A member
// that is absent was not told, or could not be measured here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// The machine that runs the client, as its kernel describes it.
struct machine_identity {
    std::optional<std::string> host_name;
    std::optional<std::string> cpu_model; ///< "AMD EPYC 7B13"
    std::optional<int> usable_cpus;       ///< logical CPUs that this process may run on (its affinity)
    std::optional<std::string> governor;  ///< of the CPU frequency: "performance"; "mixed" where CPUs differ
    std::optional<std::uint64_t> memory_bytes;
    std::optional<std::string> os;         ///< of imported results, where it may not be Linux: "windows x86_64"
    std::optional<std::string> kernel;     ///< "6.1.0-18-amd64"
    std::optional<std::string> libc;       ///< "glibc 2.36"
    std::optional<std::string> hypervisor; ///< "KVM", "Xen", ...; "none" where the CPU says that there is none
    std::optional<std::string> container;  ///< "docker", "podman", ...

    bool operator==(const machine_identity&) const = default;
};

/// The program itself. Of imported results it is another program, of which only the compiler may be known.
struct build_identity {
    std::string version;               ///< "0.1.0"; empty: not told
    std::optional<std::string> commit; ///< "1f3c9a0b7d2e"; ends in "+" where tracked files had changed
    std::string compiler;              ///< "GCC 12.2.0"
    std::string build_type;            ///< "Release"

    bool operator==(const build_identity&) const = default;
};

/// A loaded plugin. The hash is of the file that was loaded, even if its path leads to another file by now.
struct plugin_identity {
    std::string id, version;
    std::filesystem::path file;
    std::optional<std::string> sha256; ///< 64 hex digits

    bool operator==(const plugin_identity&) const = default;
};

/// A model that agents ask one server for, as the server describes it.
struct model_identity {
    std::string name;                          ///< as the profile has it
    std::optional<std::string> digest;         ///< of its weights, as Ollama tells it
    std::optional<std::string> parameter_size; ///< "4.3B"
    std::optional<std::string> quantization;   ///< "Q4_K_M"

    bool operator==(const model_identity&) const = default;
};

/// One server of the profile.
struct server_identity {
    std::string url; ///< without secrets; "simulator" for a simulator that chimera started: its port says nothing
    std::optional<std::string> software; ///< "Ollama", "vLLM", "llama.cpp", "chimera-sim"
    std::optional<std::string> version;
    std::vector<model_identity> models; ///< every model that the profile asks it for, in the order of the agents

    bool operator==(const server_identity&) const = default;
};

/// What is the same for all runs of a campaign.
struct campaign_provenance {
    std::string begun; ///< UTC, when the campaign began: "2025-11-14T09:30:00Z"
    machine_identity machine;
    build_identity build;
    std::vector<plugin_identity> plugins; ///< executor, foreign executor, transport; each file once
    std::vector<server_identity> servers; ///< each once, in the order of the agents

    bool operator==(const campaign_provenance&) const = default;
};

/// What one execution took of the machine, from the creation of its executor and transport to the end of the executor's
/// run. It covers the whole process, not the simulators.
struct execution_cost {
    std::optional<std::string> begun; ///< UTC: "2025-11-14T09:30:00Z"
    std::optional<double> cpu_user_s, cpu_system_s;
    std::optional<std::uint64_t> peak_memory_bytes; ///< highest resident memory (VmHWM)
    bool peak_is_of_process = false;  ///< the kernel did not let the peak be reset: it may be older than the execution
    std::optional<double> start_up_s; ///< from that creation until the first agent was polled
    std::optional<double> steal_pct;  ///< of the machine's CPU time, taken by its hypervisor for others

    bool operator==(const execution_cost&) const = default;
};

} // namespace chimera::host
