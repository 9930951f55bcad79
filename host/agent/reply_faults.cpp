#include "agent/reply_faults.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/llm_api.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chimera::host {
namespace {

/// The values of finish_reason and done_reason of unfinished replies.
constexpr std::array<std::string_view, 18> failing_reasons{"load",
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
                                                           "model_error",
                                                           "network_error",
                                                           "sensitive"};

/// The values of finished replies.
constexpr std::array<std::string_view, 12> good_reasons{"stop",       "length",    "tool_calls",    "function_call",
                                                        "eos",        "eos_token", "stop_sequence", "end_turn",
                                                        "max_tokens", "tool_use",  "null",          ""};

/// Some servers send an object: {"type":"abort","message":...}.
std::string word_of(std::string_view reason) {
    const auto object = nlohmann::json::parse(reason, nullptr, false);
    std::string word(reason);
    for (const char* key : {"type", "reason"})
        if (object.is_object() && object.contains(key) && object[key].is_string()) word = object[key];
    return lower_case(word);
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

/// "/v1/v1/completions": the given URL already had (part of) the path.
bool repeats_a_step(std::string_view path) {
    for (const std::string_view step : {"/v1/", "/api/", "/chat/completions", "/completions", "/generate"})
        if (path.find(step) != path.rfind(step)) return true;
    return false;
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
    if (is_one_of(failing_reasons, word_of(got.figures.finish_reason)))
        return fmt::format("unfinished reply: {} after {} records with content", reason_text(got), got.content_records);
    return {};
}

bool is_unknown_reason(std::string_view reason) {
    const std::string word = word_of(reason);
    return !is_one_of(good_reasons, word) && !is_one_of(failing_reasons, word);
}

std::string fault_of_status(int status, const response_headers& headers, std::string_view body,
                            const request_target& target, std::string_view sent, std::uint32_t redirects) {
    std::string text = fmt::format("HTTP status {}", status);
    if (!headers.retry_after.empty()) text += fmt::format(" (Retry-After: {})", excerpt(headers.retry_after, 40));
    const std::string said = parse_error_body(body);
    if (status >= 300 && status < 400) {
        text += headers.location.empty() ? std::string(" without a Location")
                                         : fmt::format(", Location: {}", excerpt(headers.location, 200));
        const auto there = redirected(target, headers.location);
        if (redirects > 0)
            text += fmt::format("; not followed, after {} redirects", redirects);
        else if ((status == 307 || status == 308) && there)
            text += "; not followed (set backend.follow_redirects = true, or give that URL)";
        else if (!headers.location.empty())
            text += "; not followed (give that URL)";
        if (!body.empty()) text += ": " + said;
        return text;
    }
    text += ": " + said;
    if (repeats_a_step(target.path))
        text += "; the path repeats a step: leave it out of the URL or of backend.path";
    else if ((status == 404 || status == 405) && said.find("model") == std::string::npos)
        text += "; the path is the protocol's (backend.api), unless backend.path names another";
    if (status == 400 || status == 422)
        for (const std::string& field : fields_named_in(said, sent))
            text += fmt::format("; to leave out '{0}': backend.body = {{ {0} = \"\" }}", field);
    return text;
}

} // namespace chimera::host
