// A report in the form of `vllm bench serve --save-result`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace chimera::host {

/// One object for each runtime, with the keys and the definitions that vLLM's benchmark has; null: not measured. A
/// report of one runtime is that object, any other an array of them: vLLM's file is one object for one benchmark.
///
/// Of each runtime, the requests of all successful runs are taken together; duration is the sum of their wall times. As
/// in vLLM, TPOT is (latency - TTFT) / (tokens that came - 1) and a standard deviation is that of the population.
nlohmann::ordered_json to_vllm(const nlohmann::ordered_json& report);

} // namespace chimera::host
