#include "workload/analysis_json.hpp"

#include "workload/markdown.hpp"

#include <nlohmann/json.hpp>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// A value as one piece of text: strings as they are, objects as "title: description".
std::string text_of(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object() || value.empty()) return dump(value);
    std::string out;
    for (const auto& part : value) {
        if (!out.empty()) out += ": ";
        out += part.is_string() ? part.get<std::string>() : dump(part);
    }
    return out;
}

std::vector<std::string> list_of(const json& value) {
    std::vector<std::string> out;
    if (value.is_array()) {
        for (const auto& element : value) out.push_back(text_of(element));
    } else if (value.is_object()) {
        for (const auto& [key, element] : value.items()) out.push_back(key + ": " + text_of(element));
    } else if (!value.is_null()) {
        out.push_back(text_of(value));
    }
    return out;
}

named_value metric_of(const json& element) {
    if (element.is_object() && element.contains("name")) {
        named_value metric{text_of(element["name"]), {}};
        for (const auto& [key, part] : element.items()) {
            if (key == "name") continue;
            if (!metric.value.empty()) metric.value += ' ';
            metric.value += text_of(part);
        }
        return metric;
    }
    if (element.is_object() && element.size() == 1) return {element.begin().key(), text_of(element.front())};
    const std::string text = text_of(element);
    const auto colon = text.find(':');
    if (colon == std::string::npos) return {text, {}};
    return {std::string(trimmed(std::string_view(text).substr(0, colon))),
            std::string(trimmed(std::string_view(text).substr(colon + 1)))};
}

std::vector<named_value> metrics_of(const json& value) {
    std::vector<named_value> out;
    if (value.is_object()) {
        for (const auto& [key, element] : value.items()) out.push_back({key, text_of(element)});
    } else if (value.is_array()) {
        for (const auto& element : value) out.push_back(metric_of(element));
    } else if (!value.is_null()) {
        out.push_back(metric_of(value));
    }
    return out;
}

} // namespace

analysis_section section_of(std::string_view title) {
    const std::string text = lower(title);
    const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
    if (has("recommend") || has("next step") || has("next_step") || has("suggestion") || has("action item")) {
        return analysis_section::recommendations;
    }
    if (has("finding") || has("insight") || has("observation")) return analysis_section::findings;
    if (has("metric") || has("statistic") || has("key figures")) return analysis_section::metrics;
    if (has("summary") || has("overview") || has("abstract")) return analysis_section::summary;
    return analysis_section::none;
}

std::optional<analysis> parse_json_analysis(std::string_view reply) {
    const auto begin = reply.find('{');
    const auto end = reply.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
    const json object = json::parse(reply.substr(begin, end - begin + 1), nullptr, false);
    if (!object.is_object()) return std::nullopt;
    analysis out;
    out.shape = reply_shape::json;
    bool any = false;
    for (const auto& [key, value] : object.items()) {
        const analysis_section section = section_of(key);
        any = any || section != analysis_section::none;
        if (section == analysis_section::summary) out.summary = value.is_null() ? std::string{} : text_of(value);
        if (section == analysis_section::findings) out.findings = list_of(value);
        if (section == analysis_section::metrics) out.metrics = metrics_of(value);
        if (section == analysis_section::recommendations) out.recommendations = list_of(value);
    }
    if (!any) return std::nullopt;
    return out;
}

} // namespace chimera::host
