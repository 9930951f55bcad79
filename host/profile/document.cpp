#include "profile/document.hpp"
#include "profile/nesting.hpp"
#include "protocol/excerpt.hpp"
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <toml++/toml.h>

namespace chimera::host {

namespace {

std::string place(const std::string& file, const toml::source_position& at) {
    return fmt::format("{}:{}:{}", file, at.line, at.column);
}

/// where: the file's name, or the whole argument of the command line.
struct converter {
    const std::string& where;
    bool from_file;

    origin at(const toml::source_region& region) const {
        return from_file ? origin{place(where, region.begin), true} : origin{where, false};
    }

    node operator()(const toml::node& from) const {
        node to{false, at(from.source()), std::nullopt};
        if (const auto* flag = from.as_boolean()) {
            to.value = flag->get();
        } else if (const auto* integer = from.as_integer()) {
            to.value = integer->get();
        } else if (const auto* number = from.as_floating_point()) {
            to.value = number->get();
        } else if (const auto* text = from.as_string()) {
            to.value = text->get();
        } else if (const auto* array = from.as_array()) {
            node::list items;
            for (const auto& item : *array) items.push_back((*this)(item));
            to.value = std::move(items);
        } else if (const auto* table = from.as_table()) {
            to.value = members(*table);
        } else {
            to.value = node::date{};
        }
        return to;
    }

    node::table members(const toml::table& from) const {
        node::table to;
        for (const auto& [key, value] : from) to.push_back({std::string(key.str()), at(key.source()), (*this)(value)});
        // toml++ sorts by key; faults are easier to follow in the order of the text.
        std::vector<const toml::key*> keys;
        for (const auto& [key, value] : from) keys.push_back(&key);
        std::vector<std::size_t> order(keys.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const auto &x = keys[a]->source().begin, &y = keys[b]->source().begin;
            return x.line != y.line ? x.line < y.line : x.column < y.column;
        });
        node::table sorted;
        for (const auto i : order) sorted.push_back(std::move(to[i]));
        return sorted;
    }
};

/// The value of --set: TOML where it is TOML, otherwise the bare text.
node parse_value(const std::string& text, const std::string& where) {
    node bare{text, {where, false}, text};
    if (find_too_deep(text).line != 0) return bare;
    try {
        const auto table = toml::parse("v = " + text);
        const auto* value = table.get("v");
        if (value == nullptr || table.size() != 1) return bare; // a line break in it made more keys
        auto parsed = converter{where, false}(*value);
        parsed.raw = text;
        return parsed;
    } catch (const toml::parse_error&) {
        return bare;
    }
}

} // namespace

node* node::find(std::string_view key) { return const_cast<node*>(std::as_const(*this).find(key)); }

const node* node::find(std::string_view key) const {
    const auto* members = std::get_if<table>(&value);
    if (members == nullptr) return nullptr;
    const auto found = std::find_if(members->begin(), members->end(), [&](const member& m) { return m.key == key; });
    return found == members->end() ? nullptr : &found->value;
}

node& node::assign(std::string key, node item) {
    auto& members = std::get<table>(value);
    auto found = std::find_if(members.begin(), members.end(), [&](const member& m) { return m.key == key; });
    if (found == members.end()) found = members.insert(members.end(), {std::move(key), {}, {}});
    found->at = item.at;
    return found->value = std::move(item);
}

const char* kind_of(const node& n) {
    static constexpr const char* names[] = {"a boolean", "an integer", "a float", "a string",
                                            "a date",    "an array",   "a table"};
    return names[n.value.index()];
}

std::optional<std::size_t> element_index(const node::list& items, std::string_view step) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (error == std::errc{} && end == step.data() + step.size() && index <= items.size()) return index;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto* id = items[i].find("id");
        const auto* text = id == nullptr ? nullptr : std::get_if<std::string>(&id->value);
        if (text != nullptr && *text == step) return i;
    }
    return std::nullopt;
}

node parse_document(std::string_view text, const std::string& file, std::string* fault) {
    node root{node::table{}, {file, true}, std::nullopt};
    if (const auto deep = find_too_deep(text); deep.line != 0) {
        *fault = fmt::format("{}:{}:{}: has {}; put less into each other", file, deep.line, deep.column, too_deep());
        return root;
    }
    try {
        root.value = converter{file, true}.members(toml::parse(text, std::string_view(file)));
    } catch (const toml::parse_error& error) {
        *fault = fmt::format("{}: {}; see https://toml.io for the syntax", place(file, error.source().begin),
                             error.description());
    }
    return root;
}

std::string apply_set(node& root, const std::string& assignment, const std::string& argument) {
    constexpr std::size_t shown = 200; // every value of an array, say, carries where it comes from
    const std::string where = excerpt(argument, shown);
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) return where + ": write it as key=value, such as measure.runs=3";
    const std::string_view path(assignment.data(), equals);
    if (!is_utf8(assignment)) return where + ": is not UTF-8; give it in that encoding";
    if (parts_of(path) > most_levels) return fmt::format("{}: the key has {}", where, too_deep());

    auto* at = &root;
    std::string_view walked;
    for (std::size_t begin = 0; begin <= path.size();) {
        const auto end = std::min(path.find('.', begin), path.size());
        const auto step = path.substr(begin, end - begin);
        if (step.empty()) return where + ": the key has an empty part; write it as key=value, such as measure.runs=3";
        const bool last = end == path.size();
        auto next = last ? parse_value(assignment.substr(equals + 1), where)
                         : node{node::table{}, {where, false}, std::nullopt};
        if (auto* items = std::get_if<node::list>(&at->value)) {
            const auto index = element_index(*items, step);
            if (!index)
                return fmt::format("{}: {} has no element \"{}\"; name it by its id or by an index from 0 to {}", where,
                                   walked, step, items->size());
            if (*index == items->size()) {
                items->push_back(std::move(next));
            } else if (last) {
                (*items)[*index] = std::move(next);
            }
            at = &(*items)[*index];
        } else if (at->is_table()) {
            auto* present = at->find(step);
            at = present != nullptr && !last ? present : &at->assign(std::string(step), std::move(next));
        } else {
            return fmt::format("{}: {} is {}, it has no \"{}\" in it", where, walked, kind_of(*at), step);
        }
        walked = path.substr(0, end);
        begin = end + 1;
    }
    return {};
}

} // namespace chimera::host
