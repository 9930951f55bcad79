#include "questions/read.hpp"

#include "process/files.hpp"
#include "process/messages.hpp"
#include "profile/load.hpp"
#include "profile/reading.hpp"
#include "questions/claim_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace chimera::host {
namespace {

/// The keys of [cost] that are numbers; each may be named in a formula.
constexpr std::array cost_numbers{"server_per_hour",    "servers",          "client_per_hour",    "clients",
                                  "per_million_tokens", "tokens_per_month", "requests_per_month", "tokens_per_request",
                                  "monthly_bill",       "development"};

class question_reader {
  public:
    question_reader(const node& root, std::vector<std::string>& faults) : root_(root), faults_(faults) {}

    question_set read() {
        question_set out;
        out.references = references();
        std::vector<named_figure> inputs;
        out.cost = cost(inputs);
        out.claims = read_claims(listed("claims"), out.references, std::move(inputs), faults_);
        out.hypotheses = each<hypothesis_spec>("hypotheses", out.references, &question_reader::hypothesis);
        out.criteria = each<criterion_spec>("criteria", out.references, &question_reader::criterion);
        return out;
    }

  private:
    /// [[name]]; empty where there is none.
    const node::list& listed(const char* name) {
        static const node::list none;
        const node* given = root_.find(name);
        if (given == nullptr) return none;
        if (const auto* items = std::get_if<node::list>(&given->value)) return *items;
        faults_.push_back(
            fmt::format("{}: {}: is {}; write [[{}]] for each", given->at.where, name, kind_of(*given), name));
        return none;
    }

    /// Whether this name was seen before.
    void check_new(std::set<std::string>& seen, table_reader& in, const std::string& name) {
        if (!name.empty() && !seen.insert(name).second) in.fault("is there twice; give each its own name");
    }

    std::vector<reference_spec> references() {
        std::vector<reference_spec> out;
        std::set<std::string> seen;
        const node::list& items = listed("references");
        for (std::size_t i = 0; i < items.size(); ++i) {
            table_reader in(items[i], table_name("references", items[i], i), faults_);
            if (!in.check_keys({"name", "value", "what", "metric"})) continue;
            reference_spec r;
            r.name = in.required_text("name");
            r.what = in.required_text("what");
            if (!in.has("value")) in.fault("has no value; give the published figure: value = ...");
            r.value = in.number("value").value_or(0);
            if (in.has("metric")) r.metric = read_metric(in);
            check_new(seen, in, r.name);
            out.push_back(std::move(r));
        }
        return out;
    }

    template <class T>
    std::vector<T> each(const char* name, const std::vector<reference_spec>& references,
                        T (question_reader::*one)(table_reader&, const std::vector<reference_spec>&)) {
        std::vector<T> out;
        std::set<std::string> seen;
        const node::list& items = listed(name);
        for (std::size_t i = 0; i < items.size(); ++i) {
            table_reader in(items[i], table_name(name, items[i], i), faults_);
            const std::size_t before = faults_.size();
            T spec = (this->*one)(in, references);
            if (faults_.size() > before && !items[i].is_table()) continue;
            if (spec.id.empty()) spec.id = fmt::format("{}", i + 1);
            check_new(seen, in, spec.id);
            out.push_back(std::move(spec));
        }
        return out;
    }

    hypothesis_spec hypothesis(table_reader& in, const std::vector<reference_spec>& references) {
        hypothesis_spec h;
        if (!in.check_keys({"id", "statement", "metric", "a", "b", "reference", "direction", "margin", "config", "by"}))
            return h;
        h.id = in.text("id");
        h.statement = in.required_text("statement");
        h.metric = read_metric(in);
        read_pair(in, references, h.a, h.b, h.reference);
        if (!in.has("direction"))
            in.fault("has no direction; give it: direction = \"higher\", \"lower\", \"different\" or \"equivalent\"");
        h.direction = in.word("direction", relation::different);
        if (h.direction == relation::no_difference)
            in.fault("direction", "no study can show that there is no difference; write \"equivalent\" and a margin");
        h.margin = in.amount("margin").value_or(0);
        if (h.direction == relation::equivalent && h.margin == 0)
            in.fault("is about equivalence and has no margin; give the largest difference that does not matter: margin "
                     "= ...");
        h.test = in.word("by", deciding_test::welch);
        if (h.test == deciding_test::ranks && in.has("reference"))
            in.fault("by", "ranks need two samples; a reference is tested by welch (there: Student's test)");
        if (const std::string config = in.text("config"); !config.empty())
            for (std::string* subject : {&h.a, &h.b}) {
                if (subject->find('/') != std::string::npos)
                    in.fault("config",
                             fmt::format("stands beside \"{}\", which names one; give one of the two", *subject));
                else if (!subject->empty())
                    *subject += "/" + config;
            }
        return h;
    }

    criterion_spec criterion(table_reader& in, const std::vector<reference_spec>& references) {
        criterion_spec c;
        if (!in.check_keys(
                {"id", "statement", "metric", "aggregate", "over", "of", "at_least", "at_most", "above", "by"}))
            return c;
        c.id = in.text("id");
        c.statement = in.required_text("statement");
        c.metric = read_metric(in);
        c.by = read_measure(in);
        c.of = in.subjects("of");
        c.at_least = in.number("at_least");
        c.at_most = in.number("at_most");
        c.above = read_reference(in, "above", references);
        const auto bars = in.present({"at_least", "at_most", "above"});
        if (bars.size() != 1)
            in.fault(bars.empty() ? "has no bar; give at_least, at_most or above (a reference)"
                                  : "has several bars; make a criterion of each");
        if (in.has("above") && (in.has("aggregate") || in.has("over")))
            in.fault("above", "is tested on the mean of the runs; leave out aggregate and over");
        const std::string by = in.text("by");
        if (!by.empty() && by != "any" && by != "every")
            in.fault("by", fmt::format("\"{}\" is not known; known: \"any\", \"every\"", by));
        c.every = by == "every";
        return c;
    }

    std::optional<cost_spec> cost(std::vector<named_figure>& inputs) {
        const node* given = root_.find("cost");
        if (given == nullptr) return std::nullopt;
        table_reader in(*given, "cost", faults_);
        if (!in.check_keys({"currency", "server_per_hour", "servers", "client_per_hour", "clients",
                            "per_million_tokens", "tokens_per_month", "requests_per_month", "tokens_per_request",
                            "monthly_bill", "development", "baseline", "inputs"}))
            return std::nullopt;
        cost_spec c;
        if (in.has("currency")) c.currency = in.text("currency");
        c.server_per_hour = in.amount("server_per_hour");
        c.client_per_hour = in.amount("client_per_hour");
        c.per_million_tokens = in.amount("per_million_tokens");
        c.monthly_bill = in.amount("monthly_bill", true);
        c.development = in.amount("development");
        c.servers = count(in, "servers");
        c.clients = count(in, "clients");
        c.baseline = in.text("baseline");
        read_load(in, c);
        for (const char* key : cost_numbers)
            if (const node* number = given->find(key); number != nullptr && number_in(*number))
                inputs.push_back({key, *number_in(*number)});
        read_inputs(in, inputs);
        return c;
    }

    static std::int64_t count(table_reader& in, const char* key) {
        const node* given = in.given().find(key);
        if (given == nullptr) return 1;
        const auto* whole = std::get_if<std::int64_t>(&given->value);
        constexpr std::int64_t most = 1'000'000;
        if (whole != nullptr && *whole >= 1 && *whole <= most) return *whole;
        in.fault(key, fmt::format("is not a whole number from 1 to {}", most));
        return 1;
    }

    static void read_load(table_reader& in, cost_spec& c) {
        c.tokens_per_month = in.amount("tokens_per_month", true);
        const auto requests = in.amount("requests_per_month", true), tokens = in.amount("tokens_per_request", true);
        if (!in.has("requests_per_month") && !in.has("tokens_per_request")) return;
        if (in.has("tokens_per_month"))
            in.fault("tokens_per_month", "stands beside requests_per_month; give the load once");
        if (in.has("tokens_per_request") && !in.has("requests_per_month"))
            in.fault("tokens_per_request", "needs requests_per_month beside it");
        if (requests && tokens) c.tokens_per_month = *requests * *tokens;
    }

    static void read_inputs(table_reader& in, std::vector<named_figure>& inputs) {
        const auto* members = in.table("inputs");
        if (members == nullptr) return;
        for (const member& m : *members) {
            const auto value = number_in(m.value);
            if (!value) in.fault_in("inputs", m, fmt::format("is {}; give a number", kind_of(m.value)));
            if (std::ranges::find(inputs, m.key, &named_figure::name) != inputs.end())
                in.fault_in("inputs", m, "is a key of [cost] already; give it another name");
            if (value) inputs.push_back({m.key, *value});
        }
    }

    const node& root_;
    std::vector<std::string>& faults_;
};

} // namespace

question_set take_questions(node& root, const std::string& source, std::vector<std::string>* faults) {
    question_set out = question_reader(root, *faults).read();
    out.source = source;
    drop_questions(root);
    return out;
}

std::filesystem::path find_questions(const std::filesystem::path& given) {
    std::error_code error;
    if (given.empty() || given.has_parent_path() || given.has_extension() || std::filesystem::exists(given, error))
        return given;
    const std::filesystem::path installed = installed_data() / "profiles/claims" / (given.string() + ".toml");
    return std::filesystem::exists(installed, error) ? installed : given;
}

namespace {

node document_of(const std::filesystem::path& file) {
    std::string syntax;
    node root = parse_document(read_profile_text(file), file.string(), &syntax);
    if (!syntax.empty()) throw profile_error({syntax});
    return root;
}

} // namespace

question_set questions_of_profile(const std::filesystem::path& file, const profile_overrides& overrides) {
    std::vector<std::string> faults;
    node root = document_of(file);
    apply_overrides(root, overrides, &faults);
    question_set out = take_questions(root, file.string(), &faults);
    if (!faults.empty()) throw profile_error(std::move(faults));
    return out;
}

question_set read_questions(const std::filesystem::path& file) {
    std::vector<std::string> faults;
    node root = document_of(file);
    question_set out = take_questions(root, file.string(), &faults);
    const bool profile = root.find("executor") != nullptr || root.find("sweep") != nullptr;
    const std::vector<std::string> known(question_tables.begin(), question_tables.end());
    if (!profile)
        for (const member& m : std::get<node::table>(root.value))
            faults.push_back(fmt::format("{}: {}: unknown table; {}", m.at.where, m.key, suggest(m.key, known)));
    if (faults.empty() && out.empty())
        faults.push_back(fmt::format("{}: asks nothing; give it [[claims]], [[hypotheses]], [[criteria]], "
                                     "[[references]] or [cost] (docs/claims.md)",
                                     file.string()));
    if (!faults.empty()) throw profile_error(std::move(faults));
    return out;
}

} // namespace chimera::host
