#include "questions/claim_reader.hpp"

#include "process/messages.hpp"
#include "questions/formula.hpp"
#include "result/metric_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace chimera::host {
namespace {

/// A kind of claim, the key that makes a claim one of it, and the other keys that it has.
struct kind_row {
    const char* key;
    claim_kind kind;
    std::vector<std::string_view> others;
};

const std::vector<kind_row>& kind_rows() {
    static const std::vector<kind_row> rows{
        {"formula", claim_kind::formula, {"value", "unit", "tolerance"}},
        {"value", claim_kind::value, {"metric", "of", "tolerance", "aggregate", "over"}},
        {"values", claim_kind::value, {"metric", "tolerance", "aggregate", "over"}},
        {"between", claim_kind::between, {"metric", "of", "tolerance", "aggregate", "over"}},
        {"difference", claim_kind::difference, {"metric", "a", "b", "reference", "tolerance", "aggregate", "over"}},
        {"differences", claim_kind::difference, {"metric", "b", "reference", "tolerance", "aggregate", "over"}},
        {"change_pct", claim_kind::change_pct, {"metric", "a", "b", "reference", "tolerance", "aggregate", "over"}},
        {"ratio", claim_kind::ratio, {"metric", "a", "b", "reference", "tolerance", "aggregate", "over"}},
        {"speedup", claim_kind::speedup, {"metric", "of", "tolerance", "aggregate", "over"}},
        {"speedups", claim_kind::speedup, {"metric", "tolerance", "aggregate", "over"}},
        {"cohens_d", claim_kind::cohens_d, {"metric", "a", "b", "tolerance"}},
        {"ranking", claim_kind::ranking, {"metric", "order", "aggregate", "over"}},
        {"order", claim_kind::order, {"metric", "of", "among", "aggregate", "over"}},
        {"test", claim_kind::test, {"metric", "a", "b", "reference", "of", "by", "level", "margin"}},
        {"success_rate_pct", claim_kind::success_rate_pct, {"metric", "of", "baseline", "tolerance"}}};
    return rows;
}

const std::vector<std::string_view>& all_keys() {
    static const std::vector<std::string_view> keys = [] {
        std::vector<std::string_view> out{"id", "statement", "note"};
        const auto add = [&out](std::string_view key) {
            if (std::ranges::find(out, key) == out.end()) out.push_back(key);
        };
        for (const kind_row& row : kind_rows()) {
            add(row.key);
            std::ranges::for_each(row.others, add);
        }
        return out;
    }();
    return keys;
}

class claim_reader {
  public:
    claim_reader(std::span<const reference_spec> references, std::vector<std::string>& faults)
        : references_(references), faults_(faults) {}

    void read(const node& table, std::size_t index) {
        table_reader in(table, table_name("claims", table, index), faults_);
        if (!in.check_keys(all_keys())) return;
        const kind_row* row = kind_of_claim(in);
        if (row == nullptr) return;
        check_others(in, *row);
        claim_spec claim;
        claim.kind = row->kind;
        claim.id = in.has("id") ? in.text("id") : fmt::format("{}", index + 1);
        claim.statement = in.required_text("statement");
        claim.note = in.text("note");
        if (claim.kind == claim_kind::formula)
            read_formula(in, claim);
        else
            read_figures(in, claim);
        if (row->key == std::string_view("values") || row->key == std::string_view("differences") ||
            row->key == std::string_view("speedups"))
            add_column(in, row->key, claim);
        else
            add(std::move(claim), table);
    }

    std::vector<claim_spec> finished(std::vector<named_figure> inputs) {
        for (const claim_spec& c : claims_)
            if (c.published) inputs.push_back({c.id, *c.published});
        for (const reference_spec& r : references_) inputs.push_back({r.name, r.value});
        for (std::size_t i = 0; i < claims_.size(); ++i)
            if (claims_[i].kind == claim_kind::formula) resolve(claims_[i], *tables_[i], inputs);
        return std::move(claims_);
    }

  private:
    const kind_row* kind_of_claim(table_reader& in) {
        std::vector<std::string> said;
        const kind_row* found = nullptr;
        for (const kind_row& row : kind_rows()) {
            if (!in.has(row.key)) continue;
            const bool belongs = found != nullptr && std::ranges::find(found->others, row.key) != found->others.end();
            if (belongs) continue;
            said.emplace_back(row.key);
            if (found == nullptr) found = &row;
        }
        if (said.size() == 1) return found;
        std::vector<std::string> known;
        for (const kind_row& row : kind_rows()) known.emplace_back(row.key);
        in.fault(said.empty() ? fmt::format("says nothing that can be checked; give one of: {}", fmt::join(known, ", "))
                              : fmt::format("says several things: {}; make a claim of each", fmt::join(said, ", ")));
        return nullptr;
    }

    void check_others(table_reader& in, const kind_row& row) {
        for (const std::string& key : in.present(all_keys())) {
            if (key == "id" || key == "statement" || key == "note" || key == row.key ||
                std::ranges::find(row.others, key) != row.others.end())
                continue;
            in.fault(key, fmt::format("has no meaning beside {}; leave it out (there: {})", row.key,
                                      fmt::join(row.others, ", ")));
        }
    }

    void read_formula(table_reader& in, claim_spec& claim) {
        claim.formula = in.text("formula");
        claim.unit = in.text("unit");
        if (!in.has("value")) in.fault("has a formula and no value; give the published figure: value = ...");
        read_published(in, "value", claim);
    }

    void read_published(table_reader& in, const char* key, claim_spec& claim) {
        claim.published = in.number(key);
        const auto tolerance = in.amount("tolerance");
        const node* given = in.given().find(key);
        claim.tolerance = tolerance ? *tolerance : given != nullptr ? half_a_digit(*given) : 0;
    }

    void read_figures(table_reader& in, claim_spec& claim) {
        claim.metric = read_metric(in);
        claim.by = read_measure(in);
        const auto one_subject = [&](const char* what) {
            claim.of = in.subjects("of");
            if (!in.has("of")) in.fault(fmt::format("does not say of what; give {}: of = \"...\"", what));
            if (claim.of.size() > 1) in.fault("of", "names several; give one, or make a claim of each");
        };
        switch (claim.kind) {
        case claim_kind::value:
        case claim_kind::speedup:
            if (in.has("values") || in.has("speedups")) break;
            one_subject("a runtime");
            read_published(in, claim.kind == claim_kind::value ? "value" : "speedup", claim);
            break;
        case claim_kind::between:
            read_between(in, claim);
            break;
        case claim_kind::difference:
        case claim_kind::change_pct:
        case claim_kind::ratio:
        case claim_kind::cohens_d:
            read_difference(in, claim);
            break;
        case claim_kind::order:
            claim.place = in.word("order", place_in_order::highest);
            claim.of = in.subjects("of");
            if (!in.has("of")) in.fault("does not say what is first; give it: of = \"...\"");
            claim.among = in.subjects("among");
            set_stability(in, claim);
            break;
        case claim_kind::ranking:
            claim.of = in.subjects("ranking");
            if (claim.of.size() == 1) in.fault("ranking", "has one member; give two or more, from the first place on");
            claim.place = in.word("order", place_in_order::highest);
            set_stability(in, claim);
            break;
        case claim_kind::test:
            read_test(in, claim);
            break;
        case claim_kind::success_rate_pct:
            one_subject("a runtime");
            claim.baseline = in.required_text("baseline");
            if (better_of(claim.metric) == better::neither && figure_named(claim.metric))
                in.fault("metric", "has no better way; a success rate needs one");
            read_published(in, "success_rate_pct", claim);
            break;
        case claim_kind::formula:
            break;
        }
    }

    /// "Most stable" is about the deviation, unless the claim says another figure.
    static void set_stability(const table_reader& in, claim_spec& claim) {
        if (!in.has("aggregate") &&
            (claim.place == place_in_order::most_stable || claim.place == place_in_order::least_stable))
            claim.by.how = aggregate::sd;
    }

    void read_between(table_reader& in, claim_spec& claim) {
        claim.of = in.subjects("of");
        claim.tolerance = in.amount("tolerance").value_or(0);
        if (!in.has("of")) in.fault("does not say of what; give it: of = [\"...\", \"...\"]");
        const auto* ends = std::get_if<node::list>(&in.given().find("between")->value);
        if (ends == nullptr || ends->size() != 2 || !number_in((*ends)[0]) || !number_in((*ends)[1])) {
            in.fault("between", "is not a range; give two numbers: between = [95, 96]");
            return;
        }
        claim.low = number_in((*ends)[0]);
        claim.high = number_in((*ends)[1]);
        if (*claim.low > *claim.high) in.fault("between", "begins above its end; give the lower number first");
    }

    void read_difference(table_reader& in, claim_spec& claim) {
        const bool column = in.has("differences");
        if (column) {
            claim.b = in.subject("b");
            claim.reference = read_reference(in, "reference", references_);
            if (in.has("b") == in.has("reference")) in.fault("needs something to subtract; give either b or reference");
        } else {
            read_pair(in, references_, claim.a, claim.b, claim.reference);
        }
        for (const char* key : {"difference", "change_pct", "ratio", "cohens_d"})
            if (in.has(key)) read_published(in, key, claim);
    }

    void read_test(table_reader& in, claim_spec& claim) {
        claim.says = in.word("test", relation::different);
        claim.test = in.word("by", deciding_test::welch);
        claim.of = in.subjects("of");
        const bool several = claim.says == relation::no_difference || claim.says == relation::equivalent;
        if (in.has("of")) {
            if (!several)
                in.fault("of", "several are compared by no_difference and equivalent; otherwise give a and b");
            if (claim.of.size() == 1) in.fault("of", "names one; give two or more");
            if (!in.present({"a", "b", "reference"}).empty())
                in.fault("of", "stands beside a and b; give one of the two");
        } else {
            read_pair(in, references_, claim.a, claim.b, claim.reference);
        }
        if (const auto level = in.amount("level", true)) {
            if (*level >= 1) in.fault("level", fmt::format("is {}; give a number below 1, such as 0.05", *level));
            claim.level = *level;
        }
        if (const auto margin = in.amount("margin")) claim.margin = *margin;
        if (claim.says == relation::equivalent && claim.margin == 0)
            in.fault("is about equivalence and has no margin; give the largest difference that does not matter: margin "
                     "= ...");
        if (claim.says == relation::no_difference && in.has("margin"))
            in.fault("margin",
                     "has no effect on no_difference; for a difference that is too small to matter give test = "
                     "\"equivalent\"");
        if (claim.test == deciding_test::ranks && claim.reference)
            in.fault("by", "ranks need two samples; a reference is tested by welch (there: Student's test)");
    }

    void add_column(table_reader& in, const char* key, const claim_spec& shared) {
        const auto tolerance = in.amount("tolerance");
        const auto* members = in.table(key);
        if (members == nullptr) return;
        for (const member& m : *members) {
            claim_spec claim = shared;
            claim.id = fmt::format("{}.{}", shared.id, m.key);
            claim.statement = fmt::format("{}: {}", shared.statement, m.key);
            claim.published = number_in(m.value);
            claim.tolerance = tolerance ? *tolerance : half_a_digit(m.value);
            if (!claim.published) in.fault_in(key, m, fmt::format("is {}; give a number", kind_of(m.value)));
            if (const std::string why = subject_fault(m.key); !why.empty()) in.fault_in(key, m, why);
            (claim.kind == claim_kind::difference ? claim.a : claim.of.emplace_back()) = m.key;
            add(std::move(claim), m.value);
        }
    }

    void add(claim_spec claim, const node& where) {
        if (!ids_.insert(claim.id).second)
            faults_.push_back(fmt::format("{}: claims.{}: there is another claim of this id; give each its own",
                                          where.at.where, claim.id));
        claims_.push_back(std::move(claim));
        tables_.push_back(&where);
    }

    void resolve(claim_spec& claim, const node& table, const std::vector<named_figure>& inputs) {
        table_reader in(table, "claims." + claim.id, faults_);
        formula_fault fault;
        for (const std::string& name : names_in(claim.formula, &fault)) {
            const auto found = std::ranges::find(inputs, name, &named_figure::name);
            if (found != inputs.end() && name != claim.id) {
                claim.inputs.emplace_back(name, found->value);
                continue;
            }
            std::vector<std::string> known;
            for (const named_figure& i : inputs)
                if (i.name != claim.id) known.push_back(i.name);
            in.fault("formula", name == claim.id
                                    ? "names its own claim; name others"
                                    : fmt::format("\"{}\" is no figure of this file; {}", name,
                                                  known.empty() ? "name a claim, a reference or an input of [cost]"
                                                                : suggest(name, known)));
        }
        if (!fault.what.empty() && !claim.formula.empty())
            in.fault("formula", fmt::format("column {}: {}", fault.column, fault.what));
    }

    std::span<const reference_spec> references_;
    std::vector<std::string>& faults_;
    std::vector<claim_spec> claims_;
    std::vector<const node*> tables_; // of each claim
    std::set<std::string> ids_;
};

} // namespace

std::string table_name(const char* list, const node& table, std::size_t index) {
    for (const char* key : {"id", "name"})
        if (const node* given = table.find(key))
            if (const auto* text = std::get_if<std::string>(&given->value); text != nullptr && !text->empty())
                return fmt::format("{}.{}", list, *text);
    return fmt::format("{}.{}", list, index + 1);
}

std::string read_metric(table_reader& in) {
    std::string name = in.required_text("metric");
    if (name.empty() || figure_named(name)) return name;
    std::vector<std::string> known;
    for (const figure f : all_figures()) known.push_back(name_of(f));
    in.fault("metric", fmt::format("\"{}\" is no metric; {}", name, suggest(name, known)));
    return name;
}

measure read_measure(table_reader& in) {
    return {in.word("aggregate", aggregate::mean), in.word("over", sample_unit::runs)};
}

std::optional<reference_value> read_reference(table_reader& in, const char* key,
                                              std::span<const reference_spec> known) {
    const node* given = in.given().find(key);
    if (given == nullptr) return std::nullopt;
    if (!std::holds_alternative<std::string>(given->value)) {
        const auto value = in.number(key);
        return value ? std::optional(reference_value{fmt::format("{}", *value), *value}) : std::nullopt;
    }
    const std::string name = in.text(key);
    const auto found = std::ranges::find(known, name, &reference_spec::name);
    if (found != known.end()) return reference_value{found->name, found->value};
    std::vector<std::string> names;
    for (const reference_spec& r : known) names.push_back(r.name);
    if (!name.empty())
        in.fault(key,
                 fmt::format("\"{}\" is no reference; {}", name,
                             names.empty() ? "describe it in [[references]], or give a number" : suggest(name, names)));
    return std::nullopt;
}

void read_pair(table_reader& in, std::span<const reference_spec> known, std::string& a, std::string& b,
               std::optional<reference_value>& reference) {
    a = in.subject("a");
    b = in.subject("b");
    reference = read_reference(in, "reference", known);
    if (!in.has("a")) in.fault("does not say what is compared; give it: a = \"...\"");
    if (in.has("b") == in.has("reference"))
        in.fault(in.has("b")
                     ? "has both b and reference; give one"
                     : "has nothing to compare with; give either b (a runtime) or reference (a published value)");
    if (!a.empty() && a == b) in.fault("b", "is the same as a; give another one");
}

std::vector<claim_spec> read_claims(const node::list& tables, std::span<const reference_spec> references,
                                    std::vector<named_figure> inputs, std::vector<std::string>& faults) {
    claim_reader reader(references, faults);
    for (std::size_t i = 0; i < tables.size(); ++i) reader.read(tables[i], i);
    return reader.finished(std::move(inputs));
}

} // namespace chimera::host
