#include "profile/nesting.hpp"
#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace chimera::host {

namespace {

/// Reads a text once, from its beginning, and counts the levels that it is in.
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

    /// A header, [a.b], sets the level of all that follows up to the next one.
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

    /// To the last quote of a string. One that has no end takes the rest of its line, or of the text.
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
    std::vector<std::size_t> open_; // for each open bracket, how many levels it is below the one around it
    std::size_t levels_above_ = 0;  // all of them together
    std::size_t header_ = 0;        // levels of the last header
    std::size_t dots_ = 0;          // in the key that is being read, or whose value is
    bool at_begin_ = true, in_header_ = false;
};

} // namespace

deep_place find_too_deep(std::string_view toml) { return level_counter(toml).find(); }

std::size_t parts_of(std::string_view dotted_path) {
    return static_cast<std::size_t>(std::ranges::count(dotted_path, '.')) + 1;
}

std::string too_deep() { return fmt::format("more than {} levels of tables, arrays and parts of keys", most_levels); }

} // namespace chimera::host
