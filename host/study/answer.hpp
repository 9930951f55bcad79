// What a reader wants to know first.
#pragma once

#include "result/json_fields.hpp"

#include <string>
#include <vector>

namespace chimera::host {

/// Three sentences: which runtime to use, or that none wins and how small a difference this data could have shown; the
/// causes of the loss; the questions that this data cannot answer.
struct answer_report {
    std::vector<std::string> sentences;
    std::vector<std::string> use; ///< the runtimes that the first names as the best; empty: nothing to choose from
};
template <>
inline constexpr auto fields_of<answer_report> = field_list(field("sentences", &answer_report::sentences),
                                                            field("use", &answer_report::use));

} // namespace chimera::host
