#include "protocol/error_body.hpp"

#include "protocol/excerpt.hpp"

#include <nlohmann/json.hpp>

namespace chimera::host {

namespace {

constexpr std::size_t message_limit = 300;

/// The text at `key`, looking into an object for its "message".
std::string_view text_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return {};
    if (found->is_string()) return found->get_ref<const std::string&>();
    if (!found->is_object()) return {};
    const auto message = found->find("message");
    return message != found->end() && message->is_string() ? std::string_view(message->get_ref<const std::string&>())
                                                           : std::string_view{};
}

} // namespace

std::string parse_error_body(std::string_view body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_object()) {
        for (const char* key : {"error", "message", "detail"}) {
            if (const auto text = text_at(json, key); !text.empty()) return excerpt(text, message_limit);
        }
    }
    const auto begin = body.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return "empty body";
    return excerpt(body.substr(begin, body.find_last_not_of(" \t\r\n") - begin + 1), message_limit);
}

} // namespace chimera::host
