// The five tables of questions, read from a file: [[claims]], [[hypotheses]], [[criteria]], [[references]], [cost].
// docs/claims.md describes them.
#pragma once

#include "profile/document.hpp"
#include "profile/load.hpp"
#include "questions/question_set.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// Takes the five tables out of a document and reads them. source: the file's name, for the set. Appends faults.
question_set take_questions(node& root, const std::string& source, std::vector<std::string>* faults);

/// Finds the file that `given` names: that file, or if there is none and `given` is a bare name ("tr115"), the
/// installed file of that name in profiles/claims.
std::filesystem::path find_questions(const std::filesystem::path& given);

/// The questions of a profile that load_profile() took with these options; it may ask nothing. Throws profile_error
/// with all faults.
question_set questions_of_profile(const std::filesystem::path& file, const profile_overrides&);

/// Reads a file of questions. Beside the five tables it may have those of a profile, which are not looked at; where it
/// has none of them, another key is a fault. Throws profile_error with all faults, also where there is no question.
question_set read_questions(const std::filesystem::path& file);

} // namespace chimera::host
