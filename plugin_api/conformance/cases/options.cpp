// Option schemas, and what create does with bad options and with the buffer for its message.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

namespace {

/// Creates an instance of whatever the plugin makes with one option on top of the usual ones, and destroys it.
class maker {
  public:
    explicit maker(environment& env)
        : env_(env), executors_(env.plugin().executors()), transports_(env.plugin().transports()),
          coordinators_(env.plugin().coordinators()) {}

    const std::vector<chm_option>& schema() const {
        return executors_    ? env_.plugin().executor_schema()
               : transports_ ? env_.plugin().transport_schema()
                             : env_.plugin().coordinator_schema();
    }
    chm_rc create(std::string_view key, std::string_view value, chm_error* err) const {
        option_map given = env_.settings().options;
        std::vector<chm_kv> kv;
        const auto& s = schema();
        const bool known = std::any_of(s.begin(), s.end(), [&](const chm_option& o) { return key == o.name; });
        if (known) given[std::string(key)] = value;
        const config usual(s, given);
        kv.assign(usual.abi()->kv, usual.abi()->kv + usual.abi()->n);
        if (!known && !key.empty()) kv.push_back({sdk::str(key), sdk::str(value)});
        const chm_config options{kv.data(), kv.size()};
        if (executors_) return make(*executors_, options, err);
        return transports_ ? make(*transports_, options, err) : make(*coordinators_, options, err);
    }

  private:
    template <class Factory>
    chm_rc make(const Factory& f, const chm_config& options, chm_error* err) const {
        std::remove_pointer_t<decltype(out_type(f))>* made = nullptr;
        const chm_rc rc = f.create(env_.host(), &options, &made, err);
        expect(rc <= 0, "create must answer with CHM_OK or an error");
        if (rc < 0) expect(made == nullptr, "a failing create must leave *out alone");
        if (rc == CHM_OK) expect(made != nullptr, "a successful create must set *out");
        if (made) expect(made->vt && made->vt->destroy, "an instance must have a table with destroy");
        if (made) made->vt->destroy(made);
        return rc;
    }
    static chm_executor* out_type(const chm_executor_factory&);
    static chm_transport* out_type(const chm_transport_factory&);
    static chm_coordinator* out_type(const chm_coordinator_factory&);

    environment& env_;
    const chm_executor_factory* executors_;
    const chm_transport_factory* transports_;
    const chm_coordinator_factory* coordinators_;
};

bool contains_word(std::string_view words, std::string_view word) {
    return word.find('|') == std::string_view::npos &&
           ("|" + std::string(words) + "|").find("|" + std::string(word) + "|") != std::string::npos;
}

/// The number that the whole text is.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number n{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

bool is_dotted_snake_case(std::string_view name) {
    const std::size_t dot = name.find('.');
    return is_snake_case(name.substr(0, dot)) &&
           (dot == std::string_view::npos || is_dotted_snake_case(name.substr(dot + 1)));
}

void check_choices(const chm_option& o, const std::string& name) {
    if (o.type != CHM_OPT_ENUM) return expect(o.choices == nullptr, name + ": only an enum may have choices");
    expect(o.choices && *o.choices, name + ": an enum must have choices");
    expect(!contains_word(o.choices, ""), name + ": a choice must not be empty");
}

void check_default(const chm_option& o, const std::string& name) {
    const auto in_range = [&](double value) {
        expect(o.min > o.max || (value >= o.min && value <= o.max), name + ": default must be in range");
    };
    switch (o.type) {
    case CHM_OPT_BOOL:
        return expect(contains_word("true|false", o.default_value), name + ": default must be a bool");
    case CHM_OPT_ENUM:
        return expect(contains_word(o.choices, o.default_value), name + ": default must be one of its choices");
    case CHM_OPT_STRING:
        return;
    case CHM_OPT_INT: {
        const auto value = number_in<std::int64_t>(o.default_value);
        expect(value.has_value(), name + ": default must be an integer");
        return in_range(static_cast<double>(*value));
    }
    case CHM_OPT_FLOAT: {
        const auto value = number_in<double>(o.default_value);
        expect(value && std::isfinite(*value), name + ": default must be a number");
        return in_range(*value);
    }
    default:
        expect(false, name + ": the type must be one that exists");
    }
}

void schema_valid(environment& env) {
    std::set<std::string> names;
    for (const chm_option& o : maker(env).schema()) {
        expect(o.size >= least_option_size && o.size % alignof(chm_option) == 0, "an option's size must be set");
        expect(o.name && *o.name, "an option must have a name");
        const std::string name = o.name;
        expect(names.insert(name).second, name + ": a name must be unique");
        expect(is_dotted_snake_case(name), name + ": a name must be in snake_case, with dots between tables");
        expect(o.help && *o.help, name + ": there must be a line of help");
        const std::string_view help = o.help;
        expect(help.find('\n') == std::string_view::npos, name + ": help must be one line");
        expect(!std::isnan(o.min) && !std::isnan(o.max), name + ": its range must be one of numbers");
        check_choices(o, name);
        expect(o.default_value != nullptr, name + ": there must be a default");
        check_default(o, name);
    }
    for (const std::string& name : names) // both cannot be written in a profile
        for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
            expect(!names.contains(name.substr(0, dot)), name + ": must not lie inside another option");
}

void help_style(environment& env) {
    for (const chm_option& o : maker(env).schema())
        if (o.name && o.help && std::string_view(o.help).ends_with('.'))
            throw unwise(std::string(o.name) + ": listings want help without a full stop");
}

void defaults_are_enough(environment& env) {
    sdk::error_buffer err;
    expect_code(maker(env).create("", "", err.abi()), CHM_OK, "create's result with defaults");
}

void unknown_refused(environment& env) {
    sdk::error_buffer err;
    expect_code(maker(env).create("no_such_option", "1", err.abi()), CHM_E_INVAL, "create's result");
    expect(err.text().find("no_such_option") != std::string_view::npos, "the message must name the option");
}

void bad_value_refused(environment& env) {
    const maker m(env);
    const auto refused = [&](const chm_option& o, const std::string& value) {
        sdk::error_buffer err;
        expect_code(m.create(o.name, value, err.abi()), CHM_E_INVAL,
                    "create's result for " + std::string(o.name) + " = '" + value + "'");
        expect(err.text().find(o.name) != std::string_view::npos,
               std::string(o.name) + ": the message must name the option: " + std::string(err.text()));
    };
    for (const chm_option& o : m.schema()) {
        if (o.type == CHM_OPT_STRING) continue;
        for (const char* value : {"", "no_such_value", "1x", " 1"}) refused(o, value);
        if (o.type == CHM_OPT_INT) refused(o, "99999999999999999999999");
        const bool number = o.type == CHM_OPT_INT || o.type == CHM_OPT_FLOAT;
        if (number && o.min <= o.max) {
            if (o.max < 1e15) refused(o, std::to_string(static_cast<long long>(o.max) + 1));
            if (o.min > -1e15) refused(o, std::to_string(static_cast<long long>(o.min) - 1));
        }
        if (o.type == CHM_OPT_ENUM) refused(o, std::string(o.choices) + "x");
    }
}

void each_choice(environment& env) {
    const maker m(env);
    for (const chm_option& o : m.schema()) {
        std::string words = o.type == CHM_OPT_BOOL ? "true|false" : o.type == CHM_OPT_ENUM ? o.choices : "";
        while (!words.empty()) {
            const std::size_t bar = words.find('|');
            const std::string word = words.substr(0, bar);
            words = bar == std::string::npos ? "" : words.substr(bar + 1);
            sdk::error_buffer err;
            const chm_rc rc = m.create(o.name, word, err.abi());
            // Another option or this system may forbid it, but then it says so.
            if (rc < 0)
                expect(!err.text().empty(), std::string(o.name) + " = " + word + " is refused without a message");
        }
    }
}

void hostile_buffers(environment& env) {
    const maker m(env);
    expect_code(m.create("no_such_option", "1", nullptr), CHM_E_INVAL, "create's result without chm_error");
    chm_error no_text{nullptr, 100};
    expect_code(m.create("no_such_option", "1", &no_text), CHM_E_INVAL, "create's result without a buffer");
    for (std::size_t cap = 0; cap < 12; ++cap) {
        std::string buffer(16, '#');
        chm_error err{buffer.data(), cap};
        expect_code(m.create("no_such_option", "1", &err), CHM_E_INVAL, "create's result with a small buffer");
        expect(buffer.substr(cap) == std::string(16 - cap, '#'), "nothing may be written behind the buffer");
        if (cap > 0) expect(buffer.substr(0, cap).find('\0') != std::string::npos, "the message must be terminated");
    }
}

constexpr test_case cases[] = {
    {"options.schema_valid", kind::plugin, "Every option has a name, help, a type and a valid default", schema_valid},
    {"options.help_style", kind::plugin, "Help is one line without a full stop", help_style},
    {"options.defaults_are_enough", kind::instance, "An instance can be made with every option at its default",
     defaults_are_enough},
    {"options.unknown_refused", kind::plugin, "An unknown option is refused with CHM_E_INVAL and its name",
     unknown_refused},
    {"options.bad_value_refused", kind::plugin,
     "A value of the wrong type or range is refused, and the message names the option", bad_value_refused},
    {"options.each_choice", kind::instance, "Each choice of an option works, or is refused with a message",
     each_choice},
    {"options.hostile_buffers", kind::plugin, "A missing or tiny message buffer is not overrun", hostile_buffers},
};

} // namespace

std::span<const test_case> option_cases() { return cases; }

} // namespace chimera::conformance
