// What makes a reply a failed one, in the words of its message.
#pragma once

#include "agent/llm_endpoint.hpp"
#include "protocol/stream_state.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::host {

/// Why a stream that ended is not a reply: it had no content, or its finish reason means failure. Empty for a reply.
std::string fault_of_reply(const stream_state&);

/// Neither one of the usual finish reasons nor one that means failure.
bool is_unknown_reason(std::string_view finish_reason);

/// The headers of a refusal that tell a person what to do.
struct response_headers {
    std::string location, retry_after;
};

/// The sentence for a status other than 2xx: the server's words, where a redirect points to, and a cure where one is
/// known. sent: the JSON body of the request. redirects: how many were followed before.
std::string fault_of_status(int status, const response_headers&, std::string_view body, const request_target&,
                            std::string_view sent, std::uint32_t redirects);

} // namespace chimera::host
