// Provenance (provenance/provenance.hpp) as JSON: `provenance` of metrics.json and summary.json, `cost` of an
// execution. The structs know nothing of files, so that collecting depends on no result.
#pragma once

#include "provenance/provenance.hpp"
#include "result/json_fields.hpp"

namespace chimera::host {

template <>
inline constexpr auto fields_of<machine_identity> =
    field_list(field("host_name", &machine_identity::host_name), field("cpu_model", &machine_identity::cpu_model),
               field("usable_cpus", &machine_identity::usable_cpus, "", "logical CPUs that the process may run on"),
               field("governor", &machine_identity::governor, "", "of the CPU frequency; mixed where CPUs differ"),
               field("memory_bytes", &machine_identity::memory_bytes, "bytes", "of the machine"),
               field("os", &machine_identity::os, "", "of imported results").left_out(),
               field("kernel", &machine_identity::kernel), field("libc", &machine_identity::libc),
               field("hypervisor", &machine_identity::hypervisor, "", "none where the CPU says that there is none"),
               field("container", &machine_identity::container, "", "docker, podman, ..."));

template <>
inline constexpr auto fields_of<build_identity> =
    field_list(field("version", &build_identity::version, "", "empty: not told"),
               field("commit", &build_identity::commit, "", "ends in + where tracked files had changed"),
               field("compiler", &build_identity::compiler), field("build_type", &build_identity::build_type));

template <>
inline constexpr auto fields_of<plugin_identity> =
    field_list(field("id", &plugin_identity::id), field("version", &plugin_identity::version),
               field("file", &plugin_identity::file, "", "its path when it was loaded"),
               field("sha256", &plugin_identity::sha256, "", "of the file that was loaded"));

template <>
inline constexpr auto fields_of<model_identity> = field_list(
    field("name", &model_identity::name, "", "as the profile has it"),
    field("digest", &model_identity::digest, "", "of its weights, as the server tells it"),
    field("parameter_size", &model_identity::parameter_size), field("quantization", &model_identity::quantization));

template <>
inline constexpr auto fields_of<server_identity> =
    field_list(field("url", &server_identity::url, "", "without secrets; simulator for one that the host started"),
               field("software", &server_identity::software), field("version", &server_identity::version),
               field("models", &server_identity::models, "", "that the profile asks it for").defaulted());

template <>
inline constexpr auto fields_of<campaign_provenance> = field_list(
    field("begun", &campaign_provenance::begun, "UTC", "when the campaign began"),
    field("machine", &campaign_provenance::machine, "", "that ran the client; null: not told"),
    field("build", &campaign_provenance::build, "", "of chimera-host"),
    field("plugins", &campaign_provenance::plugins, "", "executor, foreign executor, transport").defaulted(),
    field("servers", &campaign_provenance::servers, "", "what each server said of itself; null: not told").defaulted());

template <>
inline constexpr auto fields_of<execution_cost> = field_list(
    field("begun", &execution_cost::begun, "UTC", "when its executor and transport were created"),
    field("cpu_user_s", &execution_cost::cpu_user_s, "s", "of the whole process, from then to its end"),
    field("cpu_system_s", &execution_cost::cpu_system_s, "s", "the same in the kernel"),
    field("peak_memory_bytes", &execution_cost::peak_memory_bytes, "bytes", "highest resident memory"),
    field("peak_is_of_process", &execution_cost::peak_is_of_process, "", "that peak may be older than the execution")
        .defaulted(),
    field("start_up_s", &execution_cost::start_up_s, "s", "until the first agent was polled"),
    field("steal_pct", &execution_cost::steal_pct, "%", "of the machine's CPU time, taken by its hypervisor"));

} // namespace chimera::host
