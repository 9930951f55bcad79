// What the kinds of claims share while they are judged. For claims.cpp and its neighbours.
#pragma once

#include "study/claims.hpp"
#include "study/subjects.hpp"

namespace chimera::host {

/// A figure with one digit more than a claim of this tolerance was published with, and its unit: "96.26 %".
std::string with_unit(double, double tolerance, const std::string& unit, bool sign = false);
/// As published: "96.3 %".
std::string as_published(double, double tolerance, const std::string& unit, bool sign = false);

/// Of a figure of its runs: points for a deviation of percentages, none for a count.
std::string unit_of_figure(const study&, const std::string& metric, const measure&);

/// Adds a sentence to a note.
void add_note(judged_claim&, const std::string& sentence);
/// Ends it: the data do not say, for this reason.
void give_up(judged_claim&, const std::string& why);

// One for each kind that is not a single figure. Each fills `said`, `found`, the verdict and the note.
void judge_between(const study&, const claim_spec&, judged_claim&);
void judge_order(const study&, const claim_spec&, judged_claim&);
void judge_ranking(const study&, const claim_spec&, judged_claim&);
void judge_test(const study&, const claim_spec&, judged_claim&);

} // namespace chimera::host
