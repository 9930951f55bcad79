#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// The message in the body of an error response, in one line: the error in any of the shapes of error_in, or the
/// message of a JSON object, or an excerpt of the text; "empty body" for an empty one. Never throws, whatever the
/// server sent.
std::string parse_error_body(std::string_view body);

/// The error that a JSON text reports, in one line of at most 300 bytes with its code and type; nothing if it reports
/// none, or is not JSON. Shapes: `error` or `errors` (text, object, array), `error_message`, `error_msg`, `error_type`,
/// `error_code`, `"object":"error"`, `"type":"error"`, a `base_resp` whose status_code is not 0, `"success":false`,
/// `"status":"error"`. Good records may have a `detail`, or a `code` with a `message`: these are shapes of errors only
/// with beside_content = false. null, false, 0, "", {} and objects of such values are not errors.
std::optional<std::string> error_in(std::string_view json, bool beside_content);

/// Whether a field of this name is for errors. It may still say that there is none: null, 0, "".
bool is_error_field(std::string_view name) noexcept;

} // namespace chimera::host
