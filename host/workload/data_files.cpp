#include "workload/data_files.hpp"

#include "workload/markdown.hpp"

#include <csv.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <new>
#include <utility>

namespace chimera::host {

namespace {

std::size_t line_of(std::string_view text, std::size_t at) {
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, at), '\n'));
}

/// A mistake at a byte of `text`, which may be its end.
bad_file bad_at(std::string_view text, std::size_t at, const std::string& reason) {
    const std::size_t line_begin = text.substr(0, at).rfind('\n') + 1; // npos + 1 == 0
    return {reason, line_of(text, at), at - line_begin + 1};
}

/// The rows of a CSV text, read by libcsv. The library does not report positions, so it gets one byte at a time.
class csv_reader {
  public:
    explicit csv_reader(std::string_view text) : text_(text) {
        if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    }
    csv_reader(const csv_reader&) = delete;
    csv_reader& operator=(const csv_reader&) = delete;
    ~csv_reader() { csv_free(&parser_); }

    /// The next row that is not blank; false at the end. `line()` is then the row's first line.
    bool next(std::vector<std::string>& row) {
        row_at_ = std::min(text_.find_first_not_of("\r\n", at_), text_.size());
        row.clear();
        row_ = &row;
        ended_ = false;
        for (; !ended_ && at_ < text_.size(); ++at_)
            if (csv_parse(&parser_, &text_[at_], 1, on_field, on_row, this) != 1)
                fail(text_[at_] == '"' ? "a quote inside a field that is not quoted"
                                       : "text after the closing quote of a field",
                     at_);
        if (!ended_ && csv_fini(&parser_, on_field, on_row, this) != 0)
            fail("a quoted field is never closed", text_.find('"', field_at_));
        return ended_;
    }
    std::size_t line() const { return line_of(text_, row_at_); }

  private:
    static void on_field(void* bytes, std::size_t size, void* self) {
        auto& reader = *static_cast<csv_reader*>(self);
        reader.row_->emplace_back(static_cast<const char*>(bytes), size);
        reader.field_at_ = reader.at_ + 1;
    }
    static void on_row(int, void* self) { static_cast<csv_reader*>(self)->ended_ = true; }

    [[noreturn]] void fail(const char* reason, std::size_t at) {
        if (csv_error(&parser_) != CSV_EPARSE) throw std::bad_alloc();
        throw bad_at(text_, at, reason);
    }

    csv_parser parser_{};
    std::string_view text_;
    std::vector<std::string>* row_ = nullptr; ///< being read
    std::size_t at_ = 0;
    std::size_t row_at_ = 0, field_at_ = 0; ///< where the row and the field begin, blank lines aside
    bool ended_ = false;                    ///< the row
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

/// Receives the parser's events: builds no tree, and nesting costs no stack.
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
        std::string_view reason = error.what();
        if (const auto colon = reason.find(": "); colon != std::string_view::npos) reason.remove_prefix(colon + 2);
        throw bad_at(text_, std::min(position == 0 ? 0 : position - 1, text_.size()),
                     fmt::format("not valid JSON: {}", reason));
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

/// The level of the heading that `line` underlines; 0 if it is not an underline.
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
    // A unit is one short word. Anything longer is a sentence that begins with a number.
    if (rest.size() > 12 || rest.find_first_of(" ,;(") != std::string_view::npos) return;
    const std::string unit = metric_name(rest);
    if (!unit.empty() && name != unit && !name.ends_with("_" + unit)) name += "_" + unit;
    metrics[name].add(value);
}

/// The number of lines of a front matter: "---" ... "---" at the very beginning.
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
                            fmt::format("{} row{} left out: the first row has {} fields, this one {}", odd_rows,
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
    std::string_view paragraph; // the line above, if it is plain text: the next line may underline it
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
