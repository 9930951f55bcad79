// Published statements beside what the data say.
#pragma once

#include "questions/claim.hpp"
#include "study/study.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

enum class claim_verdict : std::uint8_t {
    holds,
    wrong,
    other_sign,   ///< a difference of which the data show the opposite
    not_derivable ///< the data, or the published figures, do not say; the note has the reason
};
template <>
inline constexpr auto words_of_enum<claim_verdict> =
    std::array{std::pair{claim_verdict::holds, "holds"}, std::pair{claim_verdict::wrong, "wrong"},
               std::pair{claim_verdict::other_sign, "other_sign"},
               std::pair{claim_verdict::not_derivable, "not_derivable"}};

struct judged_claim {
    std::string source, id, statement;
    claim_kind kind = claim_kind::value;
    std::string about; ///< what was computed: "estimated_efficiency_pct of smol-1kb, highest run"
    std::string said;  ///< the published figure or word, with its unit
    std::string found; ///< the recomputed one; empty where there is none
    std::string unit;  ///< of the figures below; points for a difference of percentages
    std::optional<double> published, recomputed;
    std::optional<double> deviation; ///< recomputed - published
    double tolerance = 0;
    claim_verdict verdict = claim_verdict::not_derivable;
    std::string note; ///< sentences: by which other figure it holds, whose figure it is, why it cannot be judged
};
template <>
inline constexpr auto fields_of<judged_claim> =
    field_list(field("source", &judged_claim::source), field("id", &judged_claim::id),
               field("statement", &judged_claim::statement), field("kind", &judged_claim::kind),
               field("about", &judged_claim::about), field("said", &judged_claim::said),
               field("found", &judged_claim::found), field("unit", &judged_claim::unit),
               field("published", &judged_claim::published), field("recomputed", &judged_claim::recomputed),
               field("deviation", &judged_claim::deviation), field("tolerance", &judged_claim::tolerance),
               field("verdict", &judged_claim::verdict), field("note", &judged_claim::note));

struct claims_report {
    std::size_t holds = 0, wrong = 0, other_sign = 0, not_derivable = 0;
    std::vector<judged_claim> claims;
};
template <>
inline constexpr auto fields_of<claims_report> = field_list(field("holds", &claims_report::holds),
                                                            field("wrong", &claims_report::wrong),
                                                            field("other_sign", &claims_report::other_sign),
                                                            field("not_derivable", &claims_report::not_derivable),
                                                            field("claims", &claims_report::claims));

/// Judges one claim by the study's runs, or by arithmetic where it is a formula.
judged_claim judge(const study&, const claim_spec&);

/// Every claim of the study's questions, in their order.
claims_report claims_of(const study&);

} // namespace chimera::host
