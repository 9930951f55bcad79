// What the replies of the four APIs are made of. Whole ones are in corpus/sse and corpus/ndjson.
#pragma once

#include <array>
#include <string_view>

namespace chimera::fuzz {

inline constexpr std::array<std::string_view, 52> stream_tokens{
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "\r\n\r\n",
    "data:",
    "data: ",
    "data: [DONE]\n\n",
    "[DONE]",
    "event: error\n",
    "id: 1\n",
    "retry: 5\n",
    ": ping\n",
    ":\n",
    "\xef\xbb\xbf",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "\\",
    "null",
    "true",
    "false",
    "\\u00e9",
    "\\ud83d",
    "\\ude00",
    "\\u0000",
    "\\n",
    "\xc3",
    "\xf0\x9f\x98\x80",
    "\"content\":\"a\"",
    "\"content\":null",
    "\"content\":[{\"type\":\"text\",\"text\":\"a\"}]",
    "\"choices\":[]",
    "\"choices\":null",
    "\"delta\":{}",
    "\"delta\":null",
    "\"index\":1",
    "\"text\":\"a\"",
    "\"finish_reason\":\"stop\"",
    "\"finish_reason\":\"length\"",
    "\"usage\":{\"completion_tokens\":3}",
    "\"usage\":null",
    "\"error\":\"no\"",
    "\"error\":{\"message\":\"no\"}",
    "\"response\":\"a\"",
    "\"message\":{\"content\":\"a\"}",
    "\"done\":true",
    "\"done_reason\":\"load\"",
    "\"t_ns\":12345",
};

} // namespace chimera::fuzz
