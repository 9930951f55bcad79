#include "profile/document.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace chimera::host {

namespace {

std::string place(const std::string& file, const toml::source_position& at) {
    return fmt::format("{}:{}:{}", file, at.line, at.column);
}

/// Makes our tree of the library's. where: the file's name, or the whole argument of the command line.
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
        std::vector<std::pair<toml::source_position, std::size_t>> order;
        for (const auto& [key, value] : from) {
            order.emplace_back(key.source().begin, to.size());
            to.push_back({std::string(key.str()), at(key.source()), (*this)(value)});
        }
        // toml++ sorts by key; faults are easier to follow in the order of the text.
        std::sort(order.begin(), order.end());
        node::table sorted;
        for (const auto& [place, i] : order) sorted.push_back(std::move(to[i]));
        return sorted;
    }
};

/// The value of --set: parsed if it is TOML, otherwise the bare text.
node parse_value(const std::string& text, const std::string& where) {
    node bare{text, {where, false}, text};
    if (find_too_deep(text).line != 0) return bare;
    try {
        const auto table = toml::parse("v = " + text);
        const auto* value = table.get("v");
        if (value == nullptr || table.size() != 1) return bare; // a line break in it made further keys
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
    for (std::size_t i = 0; i < items.size(); ++i)
        for (const char* key : {"id", "name"}) { // of an agent; of a runtime or a configuration of a sweep
            const auto* named = items[i].find(key);
            const auto* text = named == nullptr ? nullptr : std::get_if<std::string>(&named->value);
            if (text != nullptr && *text == step) return i;
        }
    return std::nullopt;
}

const node* node_at(const node& root, std::string_view path) {
    const auto* at = &root;
    for (std::size_t begin = 0; at != nullptr && begin < path.size();) {
        const auto end = std::min(path.find('.', begin), path.size());
        const auto step = path.substr(begin, end - begin);
        if (const auto* items = std::get_if<node::list>(&at->value)) {
            std::size_t index = items->size();
            std::from_chars(step.data(), step.data() + step.size(), index);
            at = index < items->size() ? &(*items)[index] : nullptr;
        } else {
            at = at->find(step);
        }
        begin = end + 1;
    }
    return at;
}

node parse_document(std::string_view text, const std::string& file, std::string* fault) {
    node root{node::table{}, {file, true}, std::nullopt};
    if (const auto deep = find_too_deep(text); deep.line != 0) {
        *fault = fmt::format("{}:{}:{}: has {}; nest less", file, deep.line, deep.column, too_deep());
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
    constexpr std::size_t shown = 200; // the origin is copied to every value, such as those of an array
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

// ---- patches

namespace {

bool names_a_plugin(const node& n) { return n.find("plugin") != nullptr; }

std::string merge(node& into, const node& patch);

std::string merge_into_list(node::list& items, const node& patch) {
    for (const auto& [key, at, value] : std::get<node::table>(patch.value)) {
        const bool all = key == "*";
        const auto one = all ? std::optional<std::size_t>{} : element_index(items, key);
        if (!all && (!one || *one == items.size()))
            return fmt::format("{}: there is no element \"{}\"; name it by its id, by an index from 0 to {}, or all of "
                               "them by \"*\"",
                               at.where, key, items.empty() ? 0 : items.size() - 1);
        for (std::size_t i = one.value_or(0); i < (one ? *one + 1 : items.size()); ++i)
            if (auto fault = merge(items[i], value); !fault.empty()) return fault;
    }
    return {};
}

std::string merge(node& into, const node& patch) {
    if (!patch.is_table() || names_a_plugin(patch)) {
        into = patch;
        return {};
    }
    if (auto* items = std::get_if<node::list>(&into.value)) return merge_into_list(*items, patch);
    if (!into.is_table()) {
        into = patch;
        return {};
    }
    for (const auto& [key, at, value] : std::get<node::table>(patch.value)) {
        // In a counted table of agents, "*" is the template.
        auto* present = into.find(key == "*" && into.find("template") != nullptr ? "template" : key);
        if (present == nullptr) {
            into.assign(key, value);
        } else if (auto fault = merge(*present, value); !fault.empty()) {
            return fault;
        }
    }
    return {};
}

} // namespace

std::string apply_patch(node& root, const node& patch) { return merge(root, patch); }

node patch_at(std::string_view path, node value) {
    const auto dot = path.find('.');
    node out{node::table{}, value.at, std::nullopt};
    const auto key = std::string(path.substr(0, dot));
    auto inner = dot == std::string_view::npos ? std::move(value) : patch_at(path.substr(dot + 1), std::move(value));
    out.assign(key, std::move(inner));
    return out;
}

// ---- depth

namespace {

/// Reads a text once from its beginning and counts levels.
class level_counter {
  public:
    explicit level_counter(std::string_view text) : text_(text) {}

    deep_place find() {
        for (at_ = 0; at_ < text_.size(); ++at_) {
            step();
            if (levels_above_ + header_ + dots_ > most_levels) return here();
        }
        return {};
    }

  private:
    void step() {
        const char c = text_[at_];
        switch (c) {
        case '#':
            at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
            return;
        case '"':
        case '\'':
            string(c);
            break;
        case '.':
            ++dots_;
            break;
        case ',':
            dots_ = 0;
            break;
        case '\n':
            if (open_.empty()) begin_statement();
            return;
        case '[':
        case '{':
            open();
            return;
        case ']':
        case '}':
            close();
            break;
        case ' ':
        case '\t':
        case '\r':
            return;
        default:
            break;
        }
        at_begin_ = false;
    }

    void begin_statement() {
        at_begin_ = true;
        in_header_ = false;
        dots_ = 0;
    }

    /// A header, [a.b], sets the level of everything up to the next header.
    void open() {
        if (open_.empty() && at_begin_) {
            if (!in_header_) header_ = 0;
            in_header_ = true;
            return;
        }
        open_.push_back(dots_ + 1);
        levels_above_ += dots_ + 1;
        dots_ = 0;
    }

    void close() {
        if (open_.empty()) {
            if (in_header_ && dots_ > 0) header_ = dots_ + 1;
        } else {
            levels_above_ -= open_.back();
            open_.pop_back();
        }
        dots_ = 0;
    }

    /// Moves to the last quote of a string. An unterminated string takes the rest of its line, or of the text.
    void string(char quote) {
        const bool many_lines = text_.substr(at_, 3) == std::string(3, quote);
        at_ += many_lines ? 3 : 1;
        for (; at_ < text_.size(); ++at_) {
            if (quote == '"' && text_[at_] == '\\')
                ++at_;
            else if (many_lines ? text_.substr(at_, 3) == std::string(3, quote)
                                : text_[at_] == quote || text_[at_] == '\n')
                break;
        }
        if (many_lines)
            at_ += 2;
        else if (at_ < text_.size() && text_[at_] == '\n')
            --at_;
    }

    deep_place here() const {
        const std::string_view before = text_.substr(0, std::min(at_, text_.size()));
        const auto last = before.rfind('\n');
        return {static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
                before.size() - (last == std::string_view::npos ? 0 : last + 1) + 1};
    }

    const std::string_view text_;
    std::size_t at_ = 0;
    std::vector<std::size_t> open_; // for each open bracket, its levels below the bracket around it
    std::size_t levels_above_ = 0;  // their sum
    std::size_t header_ = 0;        // levels of the last header
    std::size_t dots_ = 0;          // in the current key, or in the key of the current value
    bool at_begin_ = true, in_header_ = false;
};

} // namespace

deep_place find_too_deep(std::string_view toml) { return level_counter(toml).find(); }

std::size_t parts_of(std::string_view dotted_path) {
    return static_cast<std::size_t>(std::ranges::count(dotted_path, '.')) + 1;
}

std::string too_deep() { return fmt::format("more than {} levels of tables, arrays and parts of keys", most_levels); }

} // namespace chimera::host
