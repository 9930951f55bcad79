// The table of responses: cases/*.txt, read and checked. README.md has the form of a case.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "outcome.hpp"

namespace chimera::http_framing {

/// The outcome that a case has to have.
struct expectation {
    std::string result;              ///< as outcome::result() gives it: a status, or an error as PROTO, CLOSED, LIMIT
    std::optional<std::string> body; ///< none: any; of an error: the bytes that came before it
};

/// One response and its right outcome.
struct framing_case {
    std::string name;
    std::string bytes;
    bool head_request = false; ///< the request is a HEAD, not a GET
    bool closes = false;       ///< the server closes behind the bytes; otherwise it waits until the client is done
    expectation expected;
    std::map<std::string, expectation> on; ///< by the plugin's id: where a transport differs for a reason
    std::vector<std::pair<std::string, std::string>> headers; ///< that the head must have, with exactly these values

    const expectation& expected_on(std::string_view plugin) const;
    /// Empty when `seen` is right; otherwise the difference, for a reader.
    std::string difference(const outcome& seen, std::string_view plugin) const;
};

/// All cases of all *.txt files of a folder, by file name and place. Throws std::runtime_error with file and line.
std::vector<framing_case> read_cases(const std::string& folder);

/// Undoes the escapes of a case: \r \n \t \0 \" \\ \xNN, and \{TEXT*N}: TEXT, N times. Throws std::runtime_error.
std::string unescaped(std::string_view text);

} // namespace chimera::http_framing
