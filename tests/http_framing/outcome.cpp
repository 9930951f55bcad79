#include "outcome.hpp"

namespace chimera::http_framing {

std::string outcome::result() const {
    switch (rc) {
    case CHM_END:
        return std::to_string(status);
    case CHM_PENDING:
        return "WAITS";
    case CHM_E_IO:
        return "IO";
    case CHM_E_PROTO:
        return "PROTO";
    case CHM_E_CLOSED:
        return "CLOSED";
    case CHM_E_TIMEOUT:
        return "TIMEOUT";
    case CHM_E_LIMIT:
        return "LIMIT";
    default:
        return "error " + std::to_string(rc);
    }
}

std::string shown(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::size_t longest = 60;
    std::string text = "\"";
    for (const char c : bytes.substr(0, longest)) {
        if (c == '"' || c == '\\')
            text.append(1, '\\').append(1, c);
        else if (c >= ' ' && c < '\x7f')
            text += c;
        else if (c == '\r' || c == '\n')
            text += c == '\r' ? "\\r" : "\\n";
        else
            text.append("\\x").append(1, digits[(c >> 4) & 15]).append(1, digits[c & 15]);
    }
    text += '"';
    if (bytes.size() > longest) text += "... (" + std::to_string(bytes.size()) + " bytes)";
    return text;
}

} // namespace chimera::http_framing
