#include "workload/json_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chimera::host {

namespace {

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

} // namespace

file_facts read_json(std::string_view text) {
    number_collector collector(text);
    nlohmann::json::sax_parse(text, &collector);
    return collector.take();
}

} // namespace chimera::host
