// Tables and figures of a Markdown page.
#pragma once

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// A number with its unit's digits: two decimals for "%", four significant digits or more otherwise; null: "not
/// measured".
std::string figure(const nlohmann::ordered_json& value, std::string_view unit = {});

/// [low, high] as "low to high"; null: "not measured".
std::string interval_figure(const nlohmann::ordered_json& interval, std::string_view unit = {});

/// A text; null: "not measured".
std::string text_figure(const nlohmann::ordered_json& text);

class markdown_table {
  public:
    explicit markdown_table(std::vector<std::string> heading) : columns_(heading.size()) { add(std::move(heading)); }

    /// Requires as many cells as the heading has.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.size() == 1; }
    /// The table and an empty line.
    std::string text() const;

  private:
    std::size_t columns_;
    std::vector<std::string> rows_;
};

} // namespace chimera::host
