// Result files: a checksum at the end of each document, or of each line of one, tells a changed byte; reading names the
// place of every fault.
#pragma once

#include "process/files.hpp"
#include "result/json_fields.hpp"

namespace chimera::host {

/// How a text is sealed. The seal is the last thing in the text: the CRC-32 (zlib's) of all bytes before it.
enum class seal_form {
    document, ///< a JSON document, indented by two: the last member, `,\n  "crc32": "89abcdef"\n}\n`
    line,     ///< a JSON object in a line, without the newline: the last member, `,"crc32":"89abcdef"}`
    comment   ///< TOML: the last line, `# crc32 89abcdef\n`
};

/// A CRC-32 over bytes that come piece by piece. One thread at a time.
class checksum {
  public:
    void add(std::string_view) noexcept;
    std::uint64_t bytes() const noexcept { return bytes_; }
    /// Eight hexadecimal digits.
    std::string text() const;

  private:
    std::uint32_t crc_ = 0;
    std::uint64_t bytes_ = 0;
};

std::string checksum_of(std::string_view);

/// The text of an object with its seal; a byte that is not UTF-8 becomes U+FFFD. The object has at least one member,
/// and none with the name crc32.
std::string sealed_document(const json&);
template <has_fields T>
std::string sealed_document(const T& value);
/// With its newline.
std::string sealed_line(const json&);
std::string sealed_comment(std::string text);

/// Appends the value as a sealed line, with its newline.
template <has_fields T>
void append_sealed_line(std::string& out, const T& value);

struct seal_check {
    std::string seal;  ///< the eight digits; empty: there are none, as in files of older versions
    std::string fault; ///< what is wrong and what to do, to follow "FILE: "; empty: nothing
};

/// Whether the text is the one that was sealed. A text whose end looks like a damaged seal has a fault; it does not
/// pass for a text without a seal.
seal_check check_seal(std::string_view text, seal_form);

/// The whole of a file. Throws results_error.
std::string read_results_text(const std::filesystem::path&, std::size_t most_bytes = most_document_bytes);

/// A JSON document and the digits of its seal; empty: it has none.
struct results_document {
    json content;
    std::string seal;
};

/// Parses a file and checks its seal. Throws results_error that names the file and the line.
results_document read_results_document(const std::filesystem::path&);

/// The document as a struct. Throws results_error.
template <has_fields T>
T read_results(const std::filesystem::path& path) {
    return from_json<T>(read_results_document(path).content, path.string());
}

/// A line of a .jsonl file.
struct results_line {
    json content;
    std::string place; ///< "file:line"
};

/// Lines without a fault, and the faults of the others.
struct sound_lines {
    std::vector<results_line> lines;
    std::vector<std::string> faults;
};

/// Parses each line of a file and checks its seal. A last line without its newline is a fault, unless its seal is in
/// order. Throws results_error where the file cannot be read.
sound_lines read_sound_lines(const std::filesystem::path&);

/// The same. Throws results_error with the first fault.
std::vector<results_line> read_results_lines(const std::filesystem::path&);

namespace seals {
/// Seals a JSON document that is indented by two. rest: the document, or its last part. before: the checksum of the
/// parts in front of it. Returns the seal's digits.
std::string close_document(std::string& rest, checksum before = {});
/// Seals the JSON object that begins at `begin` in `out`.
void close_line(std::string& out, std::size_t begin);
} // namespace seals

template <has_fields T>
std::string sealed_document(const T& value) {
    std::string text;
    append_json(text, value, 0);
    seals::close_document(text);
    return text;
}

template <has_fields T>
void append_sealed_line(std::string& out, const T& value) {
    const std::size_t begin = out.size();
    append_json(out, value);
    seals::close_line(out, begin);
}

} // namespace chimera::host
