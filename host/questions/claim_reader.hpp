// [[claims]] and what the other tables of questions share with them.
#pragma once

#include "questions/question_set.hpp"
#include "questions/table_reader.hpp"

#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// The name of a table in messages: "claims.peak", or its number from 1 where it has no id: "claims.3".
std::string table_name(const char* list, const node& table, std::size_t index);

/// A figure of the metric table; a fault where it is missing or unknown.
std::string read_metric(table_reader&);
measure read_measure(table_reader&);
/// `key` = a name among the references, or a number. Nothing where there is no such key.
std::optional<reference_value> read_reference(table_reader&, const char* key, std::span<const reference_spec> known);
/// `a`, and either `b` or `reference`; faults otherwise.
void read_pair(table_reader&, std::span<const reference_spec> known, std::string& a, std::string& b,
               std::optional<reference_value>& reference);

/// A figure that a formula may name.
struct named_figure {
    std::string name;
    double value = 0;
};

/// Reads [[claims]]. A column (`values`, `differences`, `speedups`) becomes a claim for each of its members.
/// inputs: further figures for formulas. Appends faults.
std::vector<claim_spec> read_claims(const node::list& tables, std::span<const reference_spec> references,
                                    std::vector<named_figure> inputs, std::vector<std::string>& faults);

} // namespace chimera::host
