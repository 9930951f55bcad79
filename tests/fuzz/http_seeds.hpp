// What responses are made of: the cases of tests/http_framing, and the words of HTTP.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "framing_case.hpp"

namespace chimera::fuzz {

/// The bytes of all cases that are not long.
inline std::vector<std::string> http_seeds() {
    std::vector<std::string> all;
    for (http_framing::framing_case& c : http_framing::read_cases(CHIMERA_FRAMING_CASES))
        if (c.bytes.size() < 4000) all.push_back(std::move(c.bytes));
    return all;
}

inline constexpr std::array<std::string_view, 44> http_tokens{
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\r\n ",
    "\r\n\t",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\n\r\n",
    "HTTP/2.0 ",
    "HTTP/",
    "Content-Length: 0\r\n",
    "Content-Length: 5\r\n",
    "Content-Length:",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding:",
    "Content-Encoding: gzip\r\n",
    "chunked",
    "identity",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Trailer: X-A\r\n",
    "X-A: b\r\n",
    "Upgrade: websocket\r\n",
    "0\r\n\r\n",
    "0\r\n",
    "5\r\nhello\r\n",
    "5;a=b\r\n",
    "a\r\n",
    "ffffffffffffffff\r\n",
    "hello",
    "00000000",
    std::string_view("\0", 1),
};

} // namespace chimera::fuzz
