// What a study is asked: published claims, hypotheses, criteria, references and prices, as a file states them.
#pragma once

#include "questions/claim.hpp"

namespace chimera::host {

/// A statement about a difference that the study is to decide.
struct hypothesis_spec {
    std::string id, statement, metric;
    std::string a, b;                         ///< subjects (claim_spec)
    std::optional<reference_value> reference; ///< in place of b
    relation direction = relation::different; ///< never no_difference: a study cannot show that
    double margin = 0;                        ///< in the metric's unit (points, if that is %)
    deciding_test test = deciding_test::welch;
};
template <>
inline constexpr auto fields_of<hypothesis_spec> =
    field_list(field("id", &hypothesis_spec::id), field("statement", &hypothesis_spec::statement),
               field("metric", &hypothesis_spec::metric), field("a", &hypothesis_spec::a),
               field("b", &hypothesis_spec::b).left_out(), field("reference", &hypothesis_spec::reference).left_out(),
               field("direction", &hypothesis_spec::direction), field("margin", &hypothesis_spec::margin),
               field("test", &hypothesis_spec::test));

/// A bar that runtimes clear or miss. One of at_least, at_most and above is set.
struct criterion_spec {
    std::string id, statement, metric;
    measure by;
    std::vector<std::string> of; ///< subjects; empty: every runtime
    std::optional<double> at_least, at_most;
    std::optional<reference_value> above; ///< the mean is above it by more than chance
    bool every = false;                   ///< all subjects must meet it; otherwise one is enough
};
template <>
inline constexpr auto fields_of<criterion_spec> =
    field_list(field("id", &criterion_spec::id), field("statement", &criterion_spec::statement),
               field("metric", &criterion_spec::metric), field("by", &criterion_spec::by),
               field("of", &criterion_spec::of).left_out(), field("at_least", &criterion_spec::at_least).left_out(),
               field("at_most", &criterion_spec::at_most).left_out(), field("above", &criterion_spec::above).left_out(),
               field("every", &criterion_spec::every));

/// A published value that runtimes are held against.
struct reference_spec {
    std::string name;
    double value = 0;
    std::string what;   ///< in words
    std::string metric; ///< empty: it is only named in other tables
};
template <>
inline constexpr auto fields_of<reference_spec> = field_list(field("name", &reference_spec::name),
                                                             field("value", &reference_spec::value),
                                                             field("what", &reference_spec::what),
                                                             field("metric", &reference_spec::metric).left_out());

/// Prices and load. Amounts of money are in `currency`.
struct cost_spec {
    std::string currency = "$";
    std::optional<double> server_per_hour, client_per_hour;
    std::optional<double> per_million_tokens; ///< of a hosted model
    std::int64_t servers = 1, clients = 1;
    std::optional<double> tokens_per_month; ///< also as requests_per_month x tokens_per_request
    std::optional<double> monthly_bill;     ///< what the servers cost today
    std::optional<double> development;      ///< what a change costs once
    std::string baseline;                   ///< the runtime in use; empty: the study's first
};
template <>
inline constexpr auto fields_of<cost_spec> =
    field_list(field("currency", &cost_spec::currency), field("server_per_hour", &cost_spec::server_per_hour),
               field("servers", &cost_spec::servers), field("client_per_hour", &cost_spec::client_per_hour),
               field("clients", &cost_spec::clients), field("per_million_tokens", &cost_spec::per_million_tokens),
               field("tokens_per_month", &cost_spec::tokens_per_month), field("monthly_bill", &cost_spec::monthly_bill),
               field("development", &cost_spec::development), field("baseline", &cost_spec::baseline).left_out());

/// Everything that one file asks.
struct question_set {
    std::string source; ///< the file
    std::vector<claim_spec> claims;
    std::vector<hypothesis_spec> hypotheses;
    std::vector<criterion_spec> criteria;
    std::vector<reference_spec> references;
    std::optional<cost_spec> cost;

    bool empty() const {
        return claims.empty() && hypotheses.empty() && criteria.empty() && references.empty() && !cost;
    }
};
template <>
inline constexpr auto fields_of<question_set> = field_list(field("source", &question_set::source),
                                                           field("claims", &question_set::claims).left_out(),
                                                           field("hypotheses", &question_set::hypotheses).left_out(),
                                                           field("criteria", &question_set::criteria).left_out(),
                                                           field("references", &question_set::references).left_out(),
                                                           field("cost", &question_set::cost).left_out());

} // namespace chimera::host
