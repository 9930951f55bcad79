// Files of questions, as texts.
#pragma once

#include "profile/load.hpp"
#include "questions/read.hpp"
#include "temporary_folder.hpp"

#include <string>

namespace chimera::test {

inline host::question_set questions_in(const std::string& text) {
    const temporary_folder folder;
    return host::read_questions(folder.write("q.toml", text));
}

/// What is said of a text with faults, without the folder's name; "no fault" of another one.
inline std::string faults_in(const std::string& text) {
    const temporary_folder folder;
    const std::string file = folder.write("q.toml", text).string();
    try {
        host::read_questions(file);
    } catch (const host::profile_error& e) {
        std::string out = e.what();
        for (std::size_t at; (at = out.find(file)) != std::string::npos;) out.replace(at, file.size(), "q.toml");
        return out;
    }
    return "no fault";
}

} // namespace chimera::test
