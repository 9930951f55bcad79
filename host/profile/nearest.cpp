#include "profile/nearest.hpp"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>
#include <vector>

namespace chimera::host {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    const std::size_t width = b.size() + 1;
    std::vector<std::size_t> cells((a.size() + 1) * width);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cells[i * width + j]; };
    for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
    for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + differs});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
        }
    }
    return cells.back();
}

namespace {

constexpr std::size_t longest = 64; // nobody means a known word by a longer one
constexpr std::size_t most = 12;    // that a message lists

std::string list_of(std::string_view word, std::span<const std::string> known) {
    if (known.size() <= most) return fmt::format("known: \"{}\"", fmt::join(known, "\", \""));
    std::vector<std::pair<std::size_t, std::string_view>> nearest;
    for (const std::string& k : known) nearest.emplace_back(edit_distance(word.substr(0, longest), k), k);
    std::sort(nearest.begin(), nearest.end());
    const auto others = nearest.size() - most;
    nearest.resize(most);
    std::string text = "known: ";
    for (const auto& [distance, k] : nearest) text += fmt::format("\"{}\", ", k);
    return text + fmt::format("and {} more", others);
}

} // namespace

std::string suggest(std::string_view word, std::span<const std::string> known) {
    if (known.empty()) return {};
    if (word.size() <= longest) {
        std::size_t best = longest;
        const std::string* nearest = nullptr;
        for (const auto& candidate : known) {
            const auto distance = edit_distance(word, candidate);
            if (distance < best) best = distance, nearest = &candidate;
        }
        const auto near = std::max<std::size_t>(2, word.size() / 3);
        if (nearest != nullptr && best <= near && best < nearest->size())
            return fmt::format("did you mean \"{}\"?", *nearest);
    }
    return list_of(word, known);
}

} // namespace chimera::host
