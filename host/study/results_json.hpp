// JSON of results files, read so that whatever is wrong is reported with its place.
#pragma once

#include "process/files.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// Results that cannot be used. what() has one line for each fault: file:line: what is wrong; what to do.
class study_error : public std::runtime_error {
  public:
    explicit study_error(const std::string& fault) : std::runtime_error(fault) {}
    /// Shows the first twenty and counts the rest.
    explicit study_error(const std::vector<std::string>& faults);
};

/// An object of a results file. It is read key by key; a key that is missing or of another type is a study_error that
/// names the place. Does not own the value.
class results_object {
  public:
    /// place: "file" or "file:line".
    results_object(const nlohmann::ordered_json& value, std::string place);

    std::string text(const char* key) const;
    double number(const char* key) const;
    /// A number to compute with: one whose square would be infinite is refused, one whose quotients would be is 0.
    double figure(const char* key) const;
    std::int64_t integer(const char* key) const;
    results_object object(const char* key) const;
    /// The elements, each of which must be an object.
    std::vector<results_object> objects(const char* key) const;
    std::vector<std::string> texts(const char* key) const;

    /// Missing or null: nothing. Of another type: an error all the same.
    std::string text_or_empty(const char* key) const;
    std::optional<double> number_if(const char* key) const;
    std::optional<double> figure_if(const char* key) const;
    std::optional<std::int64_t> integer_if(const char* key) const;
    std::optional<bool> boolean_if(const char* key) const;
    std::optional<results_object> object_if(const char* key) const;
    std::vector<results_object> objects_if(const char* key) const;
    std::vector<std::string> texts_if(const char* key) const;

    const nlohmann::ordered_json& value() const { return *value_; }
    const std::string& place() const { return place_; }
    [[noreturn]] void refuse(const std::string& what) const { throw study_error(place_ + ": " + what); }

  private:
    const nlohmann::ordered_json* find(const char* key) const; ///< null: missing, or null in the file
    const nlohmann::ordered_json& get(const char* key) const;
    template <class T>
    T as(const nlohmann::ordered_json&, const char* key, bool right_type, const char* type) const;

    const nlohmann::ordered_json* value_;
    std::string place_;
};

/// The whole of a file. Throws study_error.
std::string read_results_text(const std::filesystem::path&, std::size_t most_bytes = most_document_bytes);

/// Parses a file and checks its seal, where it has one. Throws study_error, with the line of what is no JSON.
nlohmann::ordered_json read_results_json(const std::filesystem::path&);

/// The same, and the digits of the seal; empty: it has none.
struct results_document {
    nlohmann::ordered_json json;
    std::string seal;
};
results_document read_results_document(const std::filesystem::path&);

/// A line of a .jsonl file.
struct results_line {
    nlohmann::ordered_json json;
    std::string place; ///< "file:line"
};

/// Parses each line of a file and checks its seal, where it has one; a last line without its newline is a fault, unless
/// its seal is in order. Throws study_error with the line of the fault.
std::vector<results_line> read_results_lines(const std::filesystem::path&);

/// The same, but a line with a fault is left out, and the fault kept.
struct sound_lines {
    std::vector<results_line> lines;
    std::vector<std::string> faults;
};
sound_lines read_sound_lines(const std::filesystem::path&);

} // namespace chimera::host
