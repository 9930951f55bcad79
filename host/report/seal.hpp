// The checksum at the end of a result file, or of a line of one: a changed byte is told.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::host {

/// How a text is sealed. Each seal is the last thing in the text, and is the CRC-32 (zlib's) of all bytes before it.
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

/// The text of an object with its seal; a byte that is not UTF-8 becomes U+FFFD. The object has a member or more, and
/// none that is called crc32.
std::string sealed_document(const nlohmann::ordered_json&);
/// With its newline.
std::string sealed_line(const nlohmann::ordered_json&);
std::string sealed_comment(std::string text);

/// {name, crc32, bytes}: a whole file, as another file records it.
nlohmann::ordered_json file_record(const char* name, const checksum&);

struct seal_check {
    std::string seal;  ///< the eight digits; empty: there are none, as in what older versions wrote
    std::string fault; ///< what is wrong and what to do, to follow "FILE: "; empty: nothing
};

/// Whether the text is what was sealed. One that ends in what a seal looks like when a few bytes of it were changed has
/// a fault too, and does not pass for one without a seal.
seal_check check_seal(std::string_view text, seal_form);

} // namespace chimera::host
