#include "workload/analysis.hpp"

#include "workload/markdown.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;

enum class analysis_section : std::uint8_t { none, summary, findings, metrics, recommendations };

/// The section that a heading or a JSON key announces, in any case and with words around it.
analysis_section section_of(std::string_view title) {
    const std::string text = lower_case(title);
    const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
    if (has("recommend") || has("next step") || has("next_step") || has("suggestion") || has("action item")) {
        return analysis_section::recommendations;
    }
    if (has("finding") || has("insight") || has("observation")) return analysis_section::findings;
    if (has("metric") || has("statistic") || has("key figures")) return analysis_section::metrics;
    if (has("summary") || has("overview") || has("abstract")) return analysis_section::summary;
    return analysis_section::none;
}

/// "TTFT: 603 ms", split at the first of `signs`; without one, all of it is the name.
named_value split_at(std::string_view text, std::string_view signs) {
    const std::size_t sign = text.find_first_of(signs);
    if (sign == std::string_view::npos) return {std::string(text), {}};
    return {std::string(trimmed(text.substr(0, sign))), std::string(trimmed(text.substr(sign + 1)))};
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
    return split_at(text_of(element), ":");
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

/// Reads a reply that is a JSON object: bare, fenced, or with text around it. Returns nothing if it is not one, or if
/// none of its keys announces a section.
std::optional<analysis> parse_json_analysis(std::string_view reply) {
    const auto begin = reply.find('{');
    const auto end = reply.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
    const json object = json::parse(reply.substr(begin, end - begin + 1), nullptr, false);
    if (!object.is_object()) return std::nullopt;
    analysis out;
    out.shape = reply_shape::object;
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

/// A line that opens a section, with the text after the heading on the same line.
struct opening {
    analysis_section section = analysis_section::none;
    std::size_t level = 0; ///< of a '#' heading; 0 for other forms, which end any section
    std::string_view rest;
};

/// "**Title**", "**Title:** text" or "Title:", also after a number. Only titles that announce a section open one: bold
/// text and colons are common elsewhere.
std::optional<opening> opening_without_mark(std::string_view line) {
    constexpr std::size_t longest_title = 48;
    line = trimmed(line);
    const bool bullet = line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ");
    if (const auto item = list_item_of(line); item && !bullet) line = *item;
    const bool bold = line.starts_with("**");
    const std::string_view body = bold ? line.substr(2) : line;
    std::size_t end = body.find(bold ? "**" : ":");
    if (bullet || end == std::string_view::npos || end > longest_title) return std::nullopt;
    const std::string_view title = body.substr(0, end);
    std::string_view rest = trimmed(body.substr(end + (bold ? 2 : 1)));
    if (bold && rest.starts_with(':'))
        rest = trimmed(rest.substr(1));
    else if (bold && !rest.empty() && !title.ends_with(':'))
        return std::nullopt;
    if (title.find(' ') != title.rfind(' ') && !rest.empty()) return std::nullopt; // a sentence, not a title
    const analysis_section section = section_of(title);
    // A JSON reply that was cut off does not open a section either.
    if (section == analysis_section::none || title.find_first_of("{\"") != std::string_view::npos) return std::nullopt;
    return opening{section, 0, rest};
}

class markdown_reader {
  public:
    analysis read(std::string_view reply) {
        for (const std::string_view line : lines_of(reply)) take(line);
        end_item();
        out_.shape = opened_ ? reply_shape::markdown : reply_shape::plain;
        if (out_.summary.empty()) {
            out_.summary = first_paragraph_;
            out_.summary_is_fallback = true;
        }
        return std::move(out_);
    }

  private:
    void take(std::string_view line) {
        if (is_fence(line)) return end_item();
        if (trimmed(line).empty()) {
            paragraph_ended_ = paragraph_ended_ || !first_paragraph_.empty();
            return end_item();
        }
        if (const auto heading = heading_of(line)) {
            const analysis_section section = section_of(heading->text);
            const bool inner = section_ != analysis_section::none && heading->level > level_ && level_ != 0;
            if (section != analysis_section::none || !inner)
                open({section, heading->level, {}});
            else
                end_item();
            return;
        }
        if (const auto found = opening_without_mark(line)) {
            open(*found);
            if (!found->rest.empty()) take_text(found->rest);
            return;
        }
        take_text(line);
    }

    void open(const opening& found) {
        end_item();
        section_ = found.section;
        level_ = found.level;
        table_rows_ = 0;
        opened_ = opened_ || section_ != analysis_section::none;
        paragraph_ended_ = paragraph_ended_ || !first_paragraph_.empty();
    }

    void take_text(std::string_view line) {
        const auto item = list_item_of(line);
        if (!paragraph_ended_) append(first_paragraph_, without_emphasis(item.value_or(trimmed(line))), " ");
        if (section_ == analysis_section::metrics && trimmed(line).starts_with('|')) return take_table_row(line);
        table_rows_ = 0;
        const bool nested = item && !item_.empty() && line.find_first_not_of(" \t") > item_indent_ + 1;
        if (item && !nested) {
            end_item();
            item_indent_ = line.find_first_not_of(" \t");
        }
        append(item_, without_emphasis(item.value_or(trimmed(line))), nested ? "; " : " ");
    }

    void take_table_row(std::string_view line) {
        end_item();
        if (is_table_rule(line) || table_rows_++ == 0) return; // the first row is the head
        const auto cells = table_cells(line);
        named_value metric{cells.front(), {}};
        for (std::size_t i = 1; i < cells.size(); ++i) append(metric.value, cells[i], "; ");
        if (!metric.name.empty()) out_.metrics.push_back(std::move(metric));
    }

    void end_item() {
        if (item_.empty()) return;
        switch (section_) {
        case analysis_section::summary:
            append(out_.summary, item_, "\n\n");
            break;
        case analysis_section::findings:
            out_.findings.push_back(item_);
            break;
        case analysis_section::metrics:
            out_.metrics.push_back(split_at(without_emphasis(item_), ":="));
            break;
        case analysis_section::recommendations:
            out_.recommendations.push_back(item_);
            break;
        case analysis_section::none:
            break;
        }
        item_.clear();
    }

    static void append(std::string& text, std::string_view more, std::string_view between) {
        if (more.empty()) return;
        if (!text.empty()) text += between;
        text += more;
    }

    analysis out_;
    analysis_section section_ = analysis_section::none;
    std::size_t level_ = 0;
    bool opened_ = false;
    std::string item_; ///< the list item or paragraph being read
    std::size_t item_indent_ = 0;
    std::size_t table_rows_ = 0;
    std::string first_paragraph_;
    bool paragraph_ended_ = false;
};

std::string_view without_thinking(std::string_view reply) {
    constexpr std::string_view close = "</think>";
    reply = trimmed(reply);
    if (!reply.starts_with("<think>")) return reply;
    const auto end = reply.find(close);
    return end == std::string_view::npos ? reply : trimmed(reply.substr(end + close.size()));
}

} // namespace

analysis parse_analysis(std::string_view reply) {
    reply = without_thinking(reply);
    if (auto from_json = parse_json_analysis(reply)) return *std::move(from_json);
    return markdown_reader().read(reply);
}

} // namespace chimera::host
