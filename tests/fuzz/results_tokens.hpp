// What results files are made of beside the whole folders in corpus/results: words of JSON, and values that are put in
// the place of others.
#pragma once

#include <array>
#include <string_view>

namespace chimera::fuzz {

inline constexpr std::array<std::string_view, 30> results_tokens{
    "\n",
    "\r",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "=== cells.jsonl\n",
    "=== sweep.json\n",
    "=== pool/plain/run_2/metrics.json\n",
    "\"values\":{}",
    "\"agents\":[]",
    "\"parameters\":{\"agents\":2}",
    "\"parameters\":{\"a\":[[[[1]]]]}",
    "\"status\":\"failed\"",
    "\"status\":\"not_needed\"",
    "\"runtime\":\"pool\"",
    "\"config\":\"plain\"",
    "\"run\":1",
    "\"folder\":\"../pool\"",
    "\"pieces\":[[1,1,1,1,1,0]]",
    "\"crc32\":\"00000000\"",
    "\xef\xbb\xbf",
    "\xff",
    std::string_view("\0", 1),
};

/// Whole JSON values.
inline constexpr std::array<std::string_view, 40> results_values{
    "null",
    "true",
    "false",
    "0",
    "-0.0",
    "1",
    "2",
    "-1",
    "0.5",
    "100.0",
    "1e308",
    "-1e308",
    "1e-320",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967297",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1e400",
    "\"\"",
    "\"pool\"",
    "\"plain\"",
    "\"ok\"",
    "\"serialized\"",
    "\"\\u001b]0;title\\u0007\\u001b[2J\"",
    "\"\\u202e\\u2066\\u200b\\udb40\\udc41\"",
    "\"\\u0000\\u0085\\u009b31m\"",
    "\"=1+1\"",
    "\"-2+3\"",
    "\"@SUM(A1)\"",
    "\"\\tx\\ry\\nz\"",
    "\"# h\\n\\n- a | b `c` [d](e) ![f](g) <script>h</script> </script><!-- &lt; *i* _j_ ~k~ \\\\\"",
    "\"a,\\\"b\\\"\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[1,2,3]",
    "{\"a\":{\"b\":[{}]}}",
};

} // namespace chimera::fuzz
