#include "profile/patch.hpp"
#include <fmt/format.h>

namespace chimera::host {

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
        // One template stands for all agents of a counted table.
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

} // namespace chimera::host
