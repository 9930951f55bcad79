#include "workload/data_files.hpp"

#include "workload/markdown.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace chimera::host {

namespace {

class csv_reader {
  public:
    explicit csv_reader(std::string_view text) : text_(text) {}

    /// The next row that is not blank; false at the end. `line()` is then the row's first line.
    bool next(std::vector<std::string>& row) {
        while (at_ < text_.size()) {
            row_line_ = line_;
            row.clear();
            bool more = true;
            while (more) more = read_field(row.emplace_back());
            if (row.size() > 1 || !row.front().empty()) return true;
        }
        return false;
    }
    std::size_t line() const { return row_line_; }

  private:
    /// Returns whether another field of the same row follows.
    bool read_field(std::string& field) {
        if (at_ < text_.size() && text_[at_] == '"') {
            read_quoted(field);
        } else {
            const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
            field = text_.substr(at_, end - at_);
            if ((end == text_.size() || text_[end] == '\n') && field.ends_with('\r')) field.pop_back();
            if (const auto quote = field.find('"'); quote != std::string::npos) {
                throw bad_file("a quote inside a field that is not quoted", line_, column(at_ + quote));
            }
            at_ = end;
        }
        if (at_ == text_.size()) return false;
        if (text_[at_] == ',') {
            ++at_;
            return true;
        }
        if (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n')) ++at_;
        if (at_ == text_.size()) return false;
        if (text_[at_] != '\n') throw bad_file("text behind the closing quote of a field", line_, column(at_));
        end_line();
        return false;
    }

    void read_quoted(std::string& field) {
        const std::size_t opening_line = line_;
        const std::size_t opening_column = column(at_);
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                ++at_;
                if (at_ == text_.size() || text_[at_] != '"') return;
            } else if (text_[at_] == '\n') {
                ++line_;
                line_begin_ = at_ + 1;
            }
            field += text_[at_];
        }
        throw bad_file("a quoted field is never closed", opening_line, opening_column);
    }

    void end_line() {
        ++at_;
        ++line_;
        line_begin_ = at_;
    }
    std::size_t column(std::size_t at) const { return at - line_begin_ + 1; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t line_begin_ = 0;
    std::size_t row_line_ = 1;
};

struct column_state {
    std::string name;
    bool numeric = true;
    metric_range range;

    void add(std::string_view cell) {
        double value = 0;
        if (cell.find_first_not_of(" \t") == std::string_view::npos || !numeric) return;
        if (parse_number(cell, value))
            range.add(value);
        else
            numeric = false;
    }
};

bool is_number(const std::string& cell) {
    double ignored = 0;
    return parse_number(cell, ignored);
}

/// Receives the parser's events: no tree is built, and nesting costs no stack.
class number_collector : public nlohmann::json_sax<nlohmann::json> {
  public:
    explicit number_collector(std::string_view text) : text_(text) {}

    file_facts take() { return std::move(facts_); }

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t value) override { return add(static_cast<double>(value)); }
    bool number_unsigned(number_unsigned_t value) override { return add(static_cast<double>(value)); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return begin(); }
    bool end_object() override { return end(); }
    bool start_array(std::size_t) override { return begin(); }
    bool end_array() override { return end(); }
    bool key(string_t& name) override {
        key_ = metric_name(name);
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        const std::string_view before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
        const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
        const auto line_begin = before.rfind('\n') + 1; // npos + 1 == 0
        std::string_view reason = error.what();
        if (const auto colon = reason.find(": "); colon != std::string_view::npos) reason.remove_prefix(colon + 2);
        throw bad_file(fmt::format("not valid JSON: {}", reason), line, before.size() - line_begin + 1);
    }

  private:
    bool add(double value) {
        if (!key_.empty() && std::isfinite(value)) facts_.metrics[key_].add(value);
        return true;
    }
    bool begin() {
        above_.push_back(key_);
        return true;
    }
    bool end() {
        key_ = std::move(above_.back());
        above_.pop_back();
        return true;
    }

    std::string_view text_;
    file_facts facts_;
    std::string key_;
    std::vector<std::string> above_;
};

/// The level of a heading that `line` underlines; 0 when it underlines none.
std::size_t underline_level(std::string_view line) {
    line = trimmed(line);
    if (line.size() < 2) return 0;
    if (line.find_first_not_of('=') == std::string_view::npos) return 1;
    return line.find_first_not_of('-') == std::string_view::npos ? 2 : 0;
}

/// "TTFT: 603 ms" or "tokens_per_second = 99.3" -> a value of ttft_ms, tokens_per_second.
void add_metric(std::string_view item, metric_table& metrics) {
    const std::string text = without_emphasis(item);
    const std::size_t sign = text.find_first_of(":=");
    if (sign == std::string::npos) return;
    std::string name = metric_name(std::string_view(text).substr(0, sign));
    std::string_view rest = trimmed(std::string_view(text).substr(sign + 1));
    const std::size_t number_end = std::min(rest.find_first_not_of("+-.0123456789eE"), rest.size());
    double value = 0;
    if (name.empty() || !parse_number(rest.substr(0, number_end), value)) return;
    rest = trimmed(rest.substr(number_end));
    // A unit is one short word; more than that is a sentence that begins with a number.
    if (rest.size() > 12 || rest.find_first_of(" ,;(") != std::string_view::npos) return;
    const std::string unit = metric_name(rest);
    if (!unit.empty() && name != unit && !name.ends_with("_" + unit)) name += "_" + unit;
    metrics[name].add(value);
}

/// Number of lines of a front matter ("---" ... "---" at the very beginning).
std::size_t front_matter_lines(const std::vector<std::string_view>& lines) {
    if (lines.empty() || trimmed(lines.front()) != "---") return 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (trimmed(lines[i]) == "---") return i + 1;
    }
    return 0;
}

} // namespace

bool parse_number(std::string_view text, double& value) noexcept {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return false;
    text = text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
    if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

file_facts read_csv(std::string_view text, std::vector<ingest_warning>& warnings) {
    csv_reader reader(text);
    std::vector<std::string> row;
    if (!reader.next(row)) throw bad_file("no row in it", 0, 0);
    std::vector<column_state> columns(row.size());
    const bool headless = std::all_of(row.begin(), row.end(), is_number);
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!headless) columns[i].name = metric_name(row[i]);
        if (columns[i].name.empty()) columns[i].name = fmt::format("column_{}", i + 1);
    }
    file_facts facts;
    std::size_t odd_rows = 0, first_odd_line = 0, first_odd_width = 0;
    for (bool more = headless || reader.next(row); more; more = reader.next(row)) {
        if (row.size() != columns.size()) {
            if (odd_rows++ == 0) {
                first_odd_line = reader.line();
                first_odd_width = row.size();
            }
            continue;
        }
        ++facts.rows;
        for (std::size_t i = 0; i < row.size(); ++i) columns[i].add(row[i]);
    }
    if (odd_rows != 0) {
        warnings.push_back({"",
                            fmt::format("{} row{} left out: not of {} fields as the first row (here {})", odd_rows,
                                        odd_rows == 1 ? "" : "s", columns.size(), first_odd_width),
                            first_odd_line, std::nullopt});
    }
    for (const auto& column : columns) {
        if (column.numeric && column.range.n != 0) facts.metrics[column.name].add(column.range);
    }
    return facts;
}

file_facts read_json(std::string_view text) {
    number_collector collector(text);
    nlohmann::json::sax_parse(text, &collector);
    return collector.take();
}

file_facts read_markdown(std::string_view text) {
    const std::vector<std::string_view> lines = lines_of(text);
    file_facts facts;
    bool fenced = false;
    std::string_view paragraph; // the line above, when it is plain text that may turn out to be underlined
    for (std::size_t i = front_matter_lines(lines); i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        const std::string_view above = std::exchange(paragraph, {});
        if (is_fence(line)) {
            fenced = !fenced;
        } else if (fenced) {
            continue;
        } else if (const auto heading = heading_of(line)) {
            if (!heading->text.empty()) facts.headings.push_back(heading->text);
        } else if (is_table_rule(line) && above.find('|') != std::string_view::npos) {
            ++facts.tables;
        } else if (!above.empty() && underline_level(line) != 0) {
            facts.headings.push_back(without_emphasis(above));
        } else if (const auto item = list_item_of(line)) {
            add_metric(*item, facts.metrics);
        } else if (!line.starts_with("    ") && !trimmed(line).starts_with('>')) {
            paragraph = trimmed(line);
        }
    }
    return facts;
}

} // namespace chimera::host
