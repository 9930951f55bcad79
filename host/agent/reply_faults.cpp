#include "agent/reply_faults.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/request_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace chimera::host {
namespace {

/// finish_reason and done_reason values with which servers say that they did not finish.
constexpr std::array<std::string_view, 16> failing_reasons{"load",
                                                           "unload",
                                                           "abort",
                                                           "aborted",
                                                           "error",
                                                           "content_filter",
                                                           "cancelled",
                                                           "canceled",
                                                           "timeout",
                                                           "failed",
                                                           "failure",
                                                           "safety",
                                                           "recitation",
                                                           "prohibited_content",
                                                           "insufficient_system_resource",
                                                           "model_error"};

bool means_failure(std::string_view reason) {
    std::string lower;
    for (const char c : reason) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return std::ranges::find(failing_reasons, lower) != failing_reasons.end();
}

std::string reason_text(const stream_state& got) {
    return got.figures.finish_reason.empty()
               ? std::string("no finish reason")
               : fmt::format("finish reason \"{}\"", excerpt(got.figures.finish_reason, 40));
}

} // namespace

std::string fault_of_reply(const stream_state& got) {
    if (got.content_records == 0) {
        std::string counted;
        if (const auto tokens = got.figures.completion_tokens; tokens.value_or(0) > 0)
            counted = fmt::format("; the server counts {} tokens and sent none", *tokens);
        return fmt::format("empty reply: no text and no tool call in {} record{} ({}{})", got.records,
                           got.records == 1 ? "" : "s", reason_text(got), counted);
    }
    if (means_failure(got.figures.finish_reason))
        return fmt::format("unfinished reply: {} after {} records with content", reason_text(got), got.content_records);
    return {};
}

std::string fault_of_status(int status, const response_headers& headers, std::string_view body,
                            const request_target& target, std::string_view sent) {
    std::string text = fmt::format("HTTP status {}", status);
    if (!headers.retry_after.empty()) text += fmt::format(" (Retry-After: {})", excerpt(headers.retry_after, 40));
    const std::string said = parse_error_body(body);
    if (status >= 300 && status < 400) {
        text += headers.location.empty() ? std::string(" without a Location")
                                         : fmt::format(", Location: {}", excerpt(headers.location, 200));
        const auto there = redirected(target, headers.location);
        if ((status == 307 || status == 308) && there)
            text += "; not followed (set backend.follow_redirects = true, or give that URL)";
        else if (!headers.location.empty())
            text += "; not followed (give that URL)";
        if (!body.empty()) text += ": " + said;
        return text;
    }
    text += ": " + said;
    if (target.path.find("/v1/v1/") != std::string::npos || target.path.find("/api/api/") != std::string::npos)
        text += "; the path repeats a step: leave it out of the URL or of backend.path";
    else if (status == 404 || status == 405)
        text += "; the path is the protocol's (backend.api), unless backend.path names another";
    if (status == 400 || status == 422)
        for (const std::string& field : fields_named_in(said, sent))
            text += fmt::format("; to leave out '{0}': backend.body = {{ {0} = \"\" }}", field);
    return text;
}

} // namespace chimera::host
