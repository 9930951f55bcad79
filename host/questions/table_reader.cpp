#include "questions/table_reader.hpp"

#include "process/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {

std::optional<double> number_in(const node& n) {
    std::optional<double> value;
    if (const auto* whole = std::get_if<std::int64_t>(&n.value)) value = static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&n.value)) value = *real;
    constexpr double most = 1e100; // what results may have; see json_fields
    return value && std::abs(*value) <= most ? value : std::nullopt;
}

double half_a_digit(const node& n) {
    const auto* real = std::get_if<double>(&n.value);
    if (real == nullptr) return 0.5;
    const std::string text = fmt::format("{}", *real);
    const auto dot = text.find('.');
    if (dot == std::string::npos || text.find('e') != std::string::npos) return 0.05;
    return 0.5 * std::pow(10.0, -static_cast<double>(text.size() - dot - 1));
}

std::string subject_fault(const std::string& text) {
    const auto slash = text.find('/');
    if (text.empty() || slash == 0 || slash + 1 == text.size() || text.find('/', slash + 1) != std::string::npos)
        return fmt::format("\"{}\" names no runs; write \"runtime\", \"runtime/configuration\" or \"*/configuration\"",
                           text);
    return "";
}

void table_reader::fault(std::string_view key, const std::string& what) {
    const node* at = table_.find(key);
    faults_.push_back(fmt::format("{}: {}.{}: {}", (at != nullptr ? *at : table_).at.where, name_, key, what));
}

void table_reader::fault(const std::string& what) {
    faults_.push_back(fmt::format("{}: {}: {}", table_.at.where, name_, what));
}

void table_reader::fault_in(const char* key, const member& m, const std::string& what) {
    faults_.push_back(fmt::format("{}: {}.{}.{}: {}", m.at.where, name_, key, m.key, what));
}

bool table_reader::check_keys(const std::vector<std::string_view>& known) {
    const auto* members = std::get_if<node::table>(&table_.value);
    if (members == nullptr) {
        fault(fmt::format("is {}; give a table", kind_of(table_)));
        return false;
    }
    const std::vector<std::string> names(known.begin(), known.end());
    for (const member& m : *members)
        if (std::ranges::find(names, m.key) == names.end())
            faults_.push_back(
                fmt::format("{}: {}.{}: unknown key; {}", m.at.where, name_, m.key, suggest(m.key, names)));
    return true;
}

std::vector<std::string> table_reader::present(const std::vector<std::string_view>& keys) const {
    std::vector<std::string> out;
    for (const std::string_view key : keys)
        if (has(key)) out.emplace_back(key);
    return out;
}

std::string table_reader::text(const char* key) {
    const node* given = table_.find(key);
    if (given == nullptr) return {};
    const auto* value = std::get_if<std::string>(&given->value);
    if (value != nullptr && !value->empty()) return *value;
    fault(key, value != nullptr ? "is empty; give a text, or leave the key out"
                                : fmt::format("is {}; give a string", kind_of(*given)));
    return {};
}

std::string table_reader::required_text(const char* key) {
    if (!has(key)) fault(fmt::format("has no {}; give it: {} = \"...\"", key, key));
    return text(key);
}

std::optional<double> table_reader::number(const char* key) {
    const node* given = table_.find(key);
    if (given == nullptr) return std::nullopt;
    const auto value = number_in(*given);
    if (!value) {
        const bool real = std::holds_alternative<double>(given->value);
        fault(key, fmt::format("is {}; give a number", real ? "not finite, or too large" : kind_of(*given)));
    }
    return value;
}

std::optional<double> table_reader::amount(const char* key, bool positive) {
    const auto value = number(key);
    if (!value || *value > 0 || (*value == 0 && !positive)) return value;
    fault(key, fmt::format("is {}; give a number above 0{}", *value, positive ? "" : ", or 0"));
    return std::nullopt;
}

std::optional<bool> table_reader::flag(const char* key) {
    const node* given = table_.find(key);
    if (given == nullptr) return std::nullopt;
    if (const auto* value = std::get_if<bool>(&given->value)) return *value;
    fault(key, fmt::format("is {}; give true or false", kind_of(*given)));
    return std::nullopt;
}

std::vector<std::string> table_reader::texts(const char* key) {
    const node* given = table_.find(key);
    if (given == nullptr) return {};
    const auto* items = std::get_if<node::list>(&given->value);
    if (items == nullptr) {
        std::string one = text(key);
        return one.empty() ? std::vector<std::string>() : std::vector{std::move(one)};
    }
    std::vector<std::string> out;
    for (const node& item : *items) {
        if (const auto* value = std::get_if<std::string>(&item.value))
            out.push_back(*value);
        else
            fault(key, fmt::format("has {} in it; give strings", kind_of(item)));
    }
    if (items->empty()) fault(key, "is empty; give at least one string, or leave the key out");
    return out;
}

void table_reader::check_subject(std::string_view key, const std::string& given) {
    if (const std::string why = subject_fault(given); !why.empty()) fault(key, why);
}

std::string table_reader::subject(const char* key) {
    std::string given = text(key);
    if (!given.empty()) check_subject(key, given);
    return given;
}

std::vector<std::string> table_reader::subjects(const char* key) {
    std::vector<std::string> given = texts(key);
    for (const std::string& s : given) check_subject(key, s);
    return given;
}

const node::table* table_reader::table(const char* key) {
    const node* given = table_.find(key);
    if (given == nullptr) return nullptr;
    const auto* members = std::get_if<node::table>(&given->value);
    if (members == nullptr) {
        fault(key, fmt::format("is {}; give a table", kind_of(*given)));
    } else if (members->empty()) {
        fault(key, "is empty; give at least one member, or leave the key out");
    }
    return members;
}

void table_reader::unknown_word(const char* key, const std::string& given, const std::vector<std::string>& known) {
    fault(key, fmt::format("\"{}\" is not known; {}", given, suggest(given, known)));
}

} // namespace chimera::host
