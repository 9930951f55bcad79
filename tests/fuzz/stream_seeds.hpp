// What the replies of the four APIs are made of: good streams, odd ones that servers send, and words of JSON.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::fuzz {

/// Whole bodies: server-sent events and lines of JSON.
inline std::vector<std::string> stream_seeds() {
    return {
        // /v1/chat/completions
        R"(data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}

data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hel"}}],"t_ns":1000}

data: {"id":"1","choices":[{"index":0,"delta":{"content":"lo \u00e9\ud83d\ude00"},"finish_reason":null}],"t_ns":2000}

data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}

data: [DONE]

)",
        // reasoning and its tokens
        R"(data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}

data: {"choices":[{"index":0,"delta":{"reasoning":"so"}}]}

data: {"choices":[{"index":0,"delta":{"content":"42"},"finish_reason":"length"}],"usage":{"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":8}}}

data: [DONE]
)",
        // a tool call
        R"(data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: [DONE]

)",
        // the grammar of events: comments, fields, several data lines, other line ends
        ": keep-alive\r\nevent: message\r\nid: 7\r\nretry: 10\r\ndata: {\"choices\":[{\"index\":0,\r\ndata: "
        "\"delta\":{\"content\":\"a\"}}]}\r\n\r\n:\r\n\r\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}"
        ","
        "\"finish_reason\":\"stop\"}]}\r\n\r\ndata:  [DONE] \r\n\r\n",
        "\xef\xbb\xbf"
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\r\rdata: [DONE]\r\r",
        // content in parts, a second choice, text instead of a stream
        R"(data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}}]}}]}

data: {"choices":[{"index":1,"delta":{"content":"b"}}]}

data: {"choices":[{"index":0,"finish_reason":"content_filter","delta":{"refusal":"no"}}]}

data: [DONE]

data: [DONE]

)",
        R"({"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}],"usage":{"completion_tokens":1}})",
        // errors
        R"({"error":{"message":"model not found","type":"invalid_request_error","code":404}})",
        R"(data: {"error":{"message":"overloaded","type":"server_error"}}

)",
        R"(data: {"choices":null,"error_message":"out of memory","error_type":"oom"}

)",
        R"({"detail":"Not Found"})",
        // /v1/completions
        R"(data: {"id":"1","object":"text_completion","choices":[{"index":0,"text":"Hel","logprobs":null,"finish_reason":null}]}

data: {"id":"1","choices":[{"index":0,"text":"lo","finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}

data: [DONE]

)",
        // /api/generate
        R"({"model":"m","created_at":"2026-01-01T00:00:00Z","response":"Hel","done":false,"t_ns":1000}
{"model":"m","created_at":"2026-01-01T00:00:00Z","response":"lo \ud83d\ude00","done":false}
{"model":"m","thinking":"hm","response":"","done":false}
{"model":"m","response":"","done":true,"done_reason":"stop","context":[1,2,3],"total_duration":5000000,"load_duration":1000,"prompt_eval_count":4,"prompt_eval_duration":2000,"eval_count":2,"eval_duration":3000}
)",
        R"({"error":"model 'x' not found"}
)",
        "{\"response\":\"a\",\"done\":false}\r\n\r\n{\"response\":\"b\",\"done\":true,\"eval_count\":-1}\r\n",
        // /api/chat
        R"({"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}
{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]},"done":false}
{"model":"m","message":{"role":"assistant","content":""},"done_reason":"load","done":true,"eval_count":3,"eval_duration":100}
)",
        // not a stream at all
        "<html><body>502 Bad Gateway</body></html>\n",
        "",
        "\n\n\r\n \n",
    };
}

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
