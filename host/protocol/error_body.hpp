#pragma once

#include <string>
#include <string_view>

namespace chimera::host {

/// What the body of a response with a status other than 200 says, in one line: the message of {"error":"..."} (Ollama),
/// {"error":{"message":"..."}} (OpenAI), {"message":"..."} or {"detail":"..."} (servers on FastAPI), otherwise an
/// excerpt of the text; "empty body" for an empty one. Never throws on what a server sends.
std::string parse_error_body(std::string_view body);

} // namespace chimera::host
