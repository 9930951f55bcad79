#include "workload/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

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

} // namespace chimera::host
