// How a case says that a rule was broken.
#pragma once

#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "chimera/sdk/result_name.hpp"

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

/// The plugin is legal but unwise; ends the case, which counts as passed.
class unwise : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// "file.cpp:12", for the end of a message.
inline std::string place(const std::source_location& at) {
    const std::string_view path = at.file_name();
    return std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(at.line());
}

/// Throws failure unless ok. `what` is the rule.
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

/// "CHM_E_IO", or "an unknown code (-99)".
inline std::string code_name(chm_rc rc) {
    const char* const name = sdk::result_name(rc);
    return name ? name : "an unknown code (" + std::to_string(rc) + ")";
}

/// The same for result codes, which are shown by name.
inline void expect_code(chm_rc actual, chm_rc expected, std::string_view what,
                        std::source_location at = std::source_location::current()) {
    if (actual == expected) return;
    throw failure(std::string(what) + " is " + code_name(actual) + ", expected " + code_name(expected) + " [" +
                  place(at) + "]");
}

} // namespace chimera::conformance
