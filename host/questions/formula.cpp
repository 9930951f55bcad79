#include "questions/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace chimera::host {
namespace {

/// Deeper nesting would overflow the stack.
constexpr int most_nesting = 100;

bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A parser by recursive descent that computes as it reads. After a fault it stands at the end and computes nothing.
class calculator {
  public:
    using lookup = std::function<double(const std::string&)>;

    calculator(std::string_view text, const lookup& value_of) : text_(text), value_of_(value_of) {}

    double run() {
        const double value = sum();
        skip_blanks();
        if (at_ < text_.size()) fail(fmt::format("'{}' is not expected here; write an operator", text_[at_]));
        return value;
    }
    const formula_fault& fault() const { return fault_; }

  private:
    double sum() {
        double value = product();
        for (;;) {
            if (take('+'))
                value += product();
            else if (take('-'))
                value -= product();
            else
                return value;
        }
    }
    double product() {
        double value = sign();
        for (;;) {
            if (take('*'))
                value *= sign();
            else if (take('/'))
                value /= sign();
            else
                return value;
        }
    }
    double sign() {
        bool negative = false;
        while (take('-')) negative = !negative;
        const double value = power();
        return negative ? -value : value;
    }
    double power() {
        const double base = operand();
        if (!take('^')) return base;
        const nested deeper(*this);
        return std::pow(base, sign());
    }
    double operand() {
        skip_blanks();
        const nested deeper(*this);
        if (at_ == text_.size()) return fail("ends where a number or a name is expected");
        const char c = text_[at_];
        if (take('(')) {
            const double value = sum();
            return close(value);
        }
        if (is_digit(c) || c == '.') return number();
        if (c == '\'') return quoted();
        if (begins_name(c)) return name_or_call();
        return fail(fmt::format("'{}' is not expected here; write a number, a name or '('", c));
    }
    double number() {
        double value = 0;
        const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (error != std::errc()) return fail("is not a number");
        at_ = static_cast<std::size_t>(end - text_.data());
        return value;
    }
    double quoted() {
        const std::size_t end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos) return fail("the name has no closing quote");
        const std::string name(text_.substr(at_ + 1, end - at_ - 1));
        at_ = end + 1;
        return value_of_(name);
    }
    double name_or_call() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && (begins_name(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
        const std::string name(text_.substr(begin, at_ - begin));
        if (!take('(')) return value_of_(name);
        std::vector<double> arguments{sum()};
        while (take(',')) arguments.push_back(sum());
        const double value = call(name, arguments, begin);
        return close(value);
    }
    double call(const std::string& name, const std::vector<double>& arguments, std::size_t begin) {
        if (name == "min") return *std::ranges::min_element(arguments);
        if (name == "max") return *std::ranges::max_element(arguments);
        if (arguments.size() == 1 && name == "sqrt") return std::sqrt(arguments[0]);
        if (arguments.size() == 1 && name == "abs") return std::abs(arguments[0]);
        at_ = fault_.what.empty() ? begin : at_;
        return fail(name == "sqrt" || name == "abs"
                        ? fmt::format("{} takes one number", name)
                        : fmt::format("'{}' is no function; there are sqrt, abs, min and max", name));
    }
    double close(double value) {
        if (!take(')')) return fail("a ')' is missing");
        return value;
    }

    bool take(char c) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
    }
    double fail(std::string what) {
        if (fault_.what.empty()) fault_ = {at_ + 1, std::move(what)};
        at_ = text_.size();
        return 0;
    }

    struct nested {
        explicit nested(calculator& c) : in(c) {
            if (++in.depth_ > most_nesting) in.fail(fmt::format("is nested more than {} deep", most_nesting));
        }
        ~nested() { --in.depth_; }
        nested(const nested&) = delete;
        nested& operator=(const nested&) = delete;
        calculator& in;
    };

    std::string_view text_;
    const lookup& value_of_;
    std::size_t at_ = 0;
    int depth_ = 0;
    formula_fault fault_;
};

} // namespace

std::vector<std::string> names_in(std::string_view formula, formula_fault* fault) {
    std::vector<std::string> names;
    const calculator::lookup note = [&names](const std::string& name) {
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        return 1.0;
    };
    calculator reader(formula, note);
    reader.run();
    *fault = reader.fault();
    if (!fault->what.empty()) names.clear();
    return names;
}

std::optional<double> evaluate(std::string_view formula, const std::function<double(const std::string&)>& value_of) {
    const double value = calculator(formula, value_of).run();
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

} // namespace chimera::host
