// One exchange between a transport and the stepped server, with the response cut as the test wants it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "outcome.hpp"
#include "stepped_server.hpp"
#include "transport_client.hpp"

namespace chimera::http_framing {

/// What the server does behind the last byte.
enum class ending { open, close, reset };

/// A response and its way to the client.
struct response_plan {
    std::string_view bytes;
    std::vector<std::size_t> cuts = {}; ///< in order; the client takes what is before a cut before more is sent
    ending end = ending::open;
    bool head_request = false;
    /// For a client that nothing wakes any more.
    std::chrono::milliseconds patience{5000};
};

/// A request, the response, and the exchange closed. A client that asks again, on a new connection, is answered again.
/// Everything is sent, also what the client no longer wants. WAITS: the client was still waiting when patience ended.
outcome play(transport_client& client, stepped_server& server, const response_plan& plan);

/// A cut behind each byte.
std::vector<std::size_t> every_byte(std::string_view bytes);

/// The outcome of a response that is in order, on a session that has just had `before`: it must not feel that one.
/// Empty when it does not; otherwise the difference, for a reader.
std::string afterwards(transport_client& client, stepped_server& server);

} // namespace chimera::http_framing
