// A table of a file, key by key, with every fault collected.
#pragma once

#include "profile/document.hpp"
#include "result/json_fields.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// Reads the members of one table. Every fault is appended to a list: "file:line:column: claims.peak.value: what is
/// wrong; what to do". A member with a fault reads as if it were not there.
class table_reader {
  public:
    /// table: outlives the reader. name: of the table, for messages: "claims.peak".
    table_reader(const node& table, std::string name, std::vector<std::string>& faults)
        : table_(table), name_(std::move(name)), faults_(faults) {}

    /// Refuses a table that is none, and unknown keys. Returns false for the former.
    bool check_keys(const std::vector<std::string_view>& known);

    bool has(std::string_view key) const { return table_.find(key) != nullptr; }
    /// Those of the keys that the table has.
    std::vector<std::string> present(const std::vector<std::string_view>& keys) const;

    /// Empty where there is no such key.
    std::string text(const char* key);
    /// The same, and a fault where there is none.
    std::string required_text(const char* key);
    /// A finite number.
    std::optional<double> number(const char* key);
    /// A number that is not negative; positive where asked.
    std::optional<double> amount(const char* key, bool positive = false);
    std::optional<bool> flag(const char* key);
    /// A text, or an array of at least one text.
    std::vector<std::string> texts(const char* key);
    /// "smol" or "smol/chimera_homo*"; checked.
    std::string subject(const char* key);
    std::vector<std::string> subjects(const char* key);
    /// One of the words of an enum.
    template <has_words T>
    T word(const char* key, T by_default) {
        const std::string given = text(key);
        if (given.empty()) return by_default;
        std::vector<std::string> known;
        for (const auto& [value, name] : words_of_enum<T>) {
            if (name == given) return value;
            known.emplace_back(name);
        }
        unknown_word(key, given, known);
        return by_default;
    }
    /// A member that is a table with members of any name; null where there is none.
    const node::table* table(const char* key);

    void fault(std::string_view key, const std::string& what);
    /// About the table as a whole.
    void fault(const std::string& what);
    /// About a value in a table that table() gave.
    void fault_in(const char* key, const member&, const std::string& what);
    const node& given() const { return table_; }

  private:
    void unknown_word(const char* key, const std::string& given, const std::vector<std::string>& known);
    void check_subject(std::string_view key, const std::string& given);

    const node& table_;
    std::string name_;
    std::vector<std::string>& faults_;
};

/// The number that a node is; nothing for another type or one that is not finite.
std::optional<double> number_in(const node&);

/// Half a unit of the last digit that was written, as the shortest text that reads back the same has it: 0.05 for 96.3
/// and for 50.0, 0.5 for 603.
double half_a_digit(const node&);

/// Why a text names no runs; empty: it may.
std::string subject_fault(const std::string&);

} // namespace chimera::host
