// A run of the originals as the files of a run of ours.
#pragma once

#include "result/run_result.hpp"
#include "tr115/record.hpp"

#include <string>
#include <vector>

namespace chimera::host {

/// metrics.json. config: the configuration's name in the converted sweep. What the originals did not record is absent:
/// no seal of a program, no version of a server, and no figure that needs an agent alone.
run_result converted_run(const tr115_run&, const tr115_record&, const std::string& config);

/// The lines of requests.jsonl: none where the files do not say when the agents ended, as moments would be invented. An
/// agent's requests follow one another without a pause, as total_duration_ms adds up to execution_time_s.
std::vector<request_result> converted_requests(const tr115_record&);

/// The lines of texts.jsonl, one for each agent that has a prompt or a response. They borrow from the record.
std::vector<text_result> converted_texts(const tr115_record&);

} // namespace chimera::host
