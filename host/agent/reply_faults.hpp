// The faults of a reply, and their messages.
#pragma once

#include "agent/llm_endpoint.hpp"
#include "protocol/stream_state.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::host {

/// The fault of a stream that ended: no content, or a finish reason that means failure. Empty for a good reply.
std::string fault_of_reply(const stream_state&);

/// Whether a finish reason is neither a usual one nor one that means failure.
bool is_unknown_reason(std::string_view finish_reason);

/// The headers of an error response that help a person.
struct response_headers {
    std::string location, retry_after;
};

/// The message for a status other than 2xx: the server's words, the target of a redirect, and a remedy if one is known.
/// sent: the JSON body of the request. redirects: the number that was followed before.
std::string fault_of_status(int status, const response_headers&, std::string_view body, const request_target&,
                            std::string_view sent, std::uint32_t redirects);

} // namespace chimera::host
