// The result of one exchange, as a host sees it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/abi/base.h"

namespace chimera::http_framing {

struct outcome {
    chm_rc rc = CHM_PENDING; ///< CHM_END: complete; negative: failed; CHM_PENDING: it waited for more
    std::string message;     ///< of a failure
    int status = 0;          ///< 0: no head came
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string fault; ///< a rule of the contract that the plugin broke; empty: none

    bool operator==(const outcome&) const = default;
    /// The status of a complete response, the name of an error ("PROTO"), or "WAITS".
    std::string result() const;
};

/// For a reader: in double quotes, on one line, cut after 60 bytes.
std::string shown(std::string_view bytes);

} // namespace chimera::http_framing
