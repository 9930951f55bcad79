// How a case says that a rule was broken.
#pragma once

#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace chimera::conformance {

/// A broken rule; ends the case.
class failure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The case does not apply after all; ends it.
class skipped : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The case was passed, and what it found is legal but unwise; ends it.
class unwise : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// "file.cpp:12", for the end of a message.
inline std::string place(const std::source_location& at) {
    const std::string_view path = at.file_name();
    return std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(at.line());
}

/// Throws failure unless ok. `what` says what should have been so.
inline void expect(bool ok, std::string_view what, std::source_location at = std::source_location::current()) {
    if (!ok) throw failure(std::string(what) + " [" + place(at) + "]");
}

/// Throws failure with both values unless they are equal. `what` names the value.
template <class A, class B>
void expect_equal(const A& actual, const B& expected, std::string_view what,
                  std::source_location at = std::source_location::current()) {
    if (actual == expected) return;
    std::ostringstream text;
    text << what << " is " << actual << ", expected " << expected << " [" << place(at) << "]";
    throw failure(text.str());
}

} // namespace chimera::conformance
