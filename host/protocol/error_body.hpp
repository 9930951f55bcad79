#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// What the body of an error response says, in one line: the words of the error in any of the shapes of error_in, or
/// the message of a JSON object, or an excerpt of the text; "empty body" for an empty one. Never throws on what a
/// server sends.
std::string parse_error_body(std::string_view body);

/// The error that a JSON text reports, in one line of at most 300 bytes with its code and type; nothing if it reports
/// none (or is not JSON). Shapes: `error` or `errors` (text, object, array), `error_message`, `error_msg`,
/// `error_type`, `error_code`, `"object":"error"`, `"type":"error"`, a `base_resp` whose status_code is not 0,
/// `"success":false`,
/// `"status":"error"`. Only when not beside_content also `detail` and a `code` with a `message`, which good records may
/// have. null, false, 0, "", {} and objects of such values are not errors.
std::optional<std::string> error_in(std::string_view json, bool beside_content);

} // namespace chimera::host
