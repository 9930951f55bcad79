#include "profile/free_table.hpp"
#include "process/secrets.hpp"
#include "profile/option_check.hpp"
#include "protocol/excerpt.hpp"
#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;

class free_table_reader {
  public:
    free_table_reader(free_values values, std::vector<std::string>* faults) : values_(values), faults_(faults) {}

    void read(const node& table, const std::string& path, const std::string& prefix) {
        for (const auto& m : std::get<node::table>(table.value)) {
            const std::string shown = path + '.' + m.key, name = prefix + m.key;
            if (values_ == free_values::texts && names_a_secret(m.key))
                fault(m.at, shown,
                      "a profile holds no secret; use --api-key or the environment's CHIMERA_API_KEY, and "
                      "backend.key_header = \"" +
                          m.key + "\" to send the key under this name");
            else if (values_ == free_values::json && names_a_secret(m.key) &&
                     std::holds_alternative<std::string>(m.value.value))
                fault(m.at, shown, "a profile holds no secret; use --api-key or the environment's CHIMERA_API_KEY");
            else if (values_ == free_values::json && m.value.is_table())
                read(m.value, shown, name + '.');
            else if (const auto* text = std::get_if<std::string>(&m.value.value); text != nullptr && text->empty())
                out.push_back({name, {}});
            else if (values_ == free_values::json)
                out.push_back({name, json_of(m.value, shown).dump()});
            else if (text != nullptr || m.value.raw)
                out.push_back({name, text != nullptr ? *text : *m.value.raw});
            else
                fault(m.at, shown, fmt::format("is {}; give a string", kind_of(m.value)));
        }
    }

    std::vector<named_text> out;

  private:
    void fault(const origin& at, const std::string& key, const std::string& what) {
        faults_->push_back(fault_at(at, key, what));
    }

    json json_of(const node& value, const std::string& path) {
        if (const auto* items = std::get_if<node::list>(&value.value)) {
            json list = json::array();
            for (const node& item : *items) list.push_back(json_of(item, path));
            return list;
        }
        if (const auto* members = std::get_if<node::table>(&value.value)) {
            json object = json::object();
            for (const member& m : *members) object[m.key] = json_of(m.value, path + '.' + m.key);
            return object;
        }
        if (const auto* flag = std::get_if<bool>(&value.value)) return *flag;
        if (const auto* whole = std::get_if<std::int64_t>(&value.value)) return *whole;
        if (const auto* number = std::get_if<double>(&value.value)) {
            if (std::isfinite(*number)) return *number;
            fault(value.at, path, "is not a finite number, which JSON does not have");
            return nullptr;
        }
        if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
        fault(value.at, path, "is a date, which JSON does not have; give a string");
        return nullptr;
    }

    const free_values values_;
    std::vector<std::string>* faults_;
};

std::string toml_of(const json& value) {
    if (value.is_string()) return toml_string(value.get_ref<const std::string&>());
    if (!value.is_structured()) return value.dump();
    std::string out;
    for (const auto& [key, item] : value.items()) {
        if (!out.empty()) out += ", ";
        if (value.is_object()) out += toml_string(key) + " = ";
        out += toml_of(item);
    }
    return value.is_array() ? '[' + out + ']' : "{ " + out + " }";
}

} // namespace

std::vector<named_text> read_free_table(const node& table, free_values values, const std::string& path,
                                        std::vector<std::string>* faults) {
    if (!table.is_table()) {
        faults->push_back(fault_at(
            table.at, path,
            fmt::format("is {}; give a table: {} = {{ ... }}", kind_of(table), path.substr(path.rfind('.') + 1))));
        return {};
    }
    free_table_reader reader(values, faults);
    reader.read(table, path, {});
    return std::move(reader.out);
}

std::string inline_toml(const std::vector<named_text>& members, free_values values) {
    std::string out;
    for (const named_text& m : members) {
        out += (out.empty() ? "" : ", ") + toml_string(m.name) + " = ";
        out += m.text.empty() || values == free_values::texts ? toml_string(m.text) : toml_of(json::parse(m.text));
    }
    return "{ " + out + " }";
}

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const first_character c(text);
        text.remove_prefix(c.bytes.size());
        if (c.code == '"' || c.code == '\\')
            out += '\\';
        else if (c.is_utf8 && !c.is_plain) {
            const auto code = static_cast<std::uint32_t>(c.code);
            out += code > 0xFFFF ? fmt::format("\\U{:08X}", code) : fmt::format("\\u{:04X}", code);
            continue;
        }
        out += c.bytes;
    }
    return out + '"';
}

} // namespace chimera::host
