// What makes a reply a failed one, in the words of its message.
#pragma once

#include "agent/request_target.hpp"
#include "protocol/stream_state.hpp"

#include <string>
#include <string_view>

namespace chimera::host {

/// Why a stream that ended is not a reply: it had no content, or its finish reason means failure. Empty for a reply.
std::string fault_of_reply(const stream_state&);

/// The headers of a refusal that tell a person what to do.
struct response_headers {
    std::string location, retry_after;
};

/// The sentence for a status other than 2xx: the server's words, where a redirect points to, and a cure where one is
/// known. sent: the JSON body of the request.
std::string fault_of_status(int status, const response_headers&, std::string_view body, const request_target&,
                            std::string_view sent);

} // namespace chimera::host
