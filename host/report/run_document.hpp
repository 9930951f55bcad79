// metrics.json and the lines of requests.jsonl: one run, whole. Moments are nanoseconds since the execution began.
#pragma once

#include "measure/timeline.hpp"
#include "profile/profile.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// Everything about a run but the texts: its figures, the verdict, and every agent of every execution.
nlohmann::ordered_json run_document(const profile&, const run_record&);

/// One request with its moments, the server's figures and its pieces: [delivered, readable_to_polled,
/// polled_to_delivered, delivered_to_recorded, content_records, arrived_to_readable] each.
nlohmann::ordered_json request_document(const char* execution, const execution_record&, const agent_record&,
                                        const request_record&);

/// The name of the files that hold a request's prompt and response: "together_collector_analysis.txt".
std::string text_file_name(const char* execution, const std::string& agent, const std::string& call);

inline constexpr int run_schema_version = 2;

} // namespace chimera::host
