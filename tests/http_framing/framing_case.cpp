#include "framing_case.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

namespace chimera::http_framing {

namespace {

std::string_view trimmed(std::string_view s) {
    const std::size_t first = s.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(' ') + 1 - first);
}

template <class Number>
Number number(std::string_view digits, int base) {
    Number value{};
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (ec != std::errc{} || end != digits.data() + digits.size())
        throw std::runtime_error("not a number: '" + std::string(digits) + "'");
    return value;
}

/// RESULT, then perhaps "BODY" in quotes. Leaves what is behind it in `text`.
expectation take_expectation(std::string_view& text) {
    expectation e;
    text = trimmed(text);
    const std::size_t end = std::min(text.find(' '), text.size());
    e.result = text.substr(0, end);
    if (e.result.empty()) throw std::runtime_error("a result is missing: a status, PROTO, CLOSED or LIMIT");
    text = trimmed(text.substr(end));
    if (!text.starts_with('"')) return e;
    std::size_t close = 1;
    while (close < text.size() && text[close] != '"') close += text[close] == '\\' ? 2 : 1;
    if (close >= text.size()) throw std::runtime_error("the body has no closing quote");
    e.body = unescaped(text.substr(1, close - 1));
    text = trimmed(text.substr(close + 1));
    return e;
}

void take_result_line(framing_case& c, std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::size_t blank = text.find(' ');
    std::string plugin;
    if (colon < blank) {
        plugin = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    const expectation e = take_expectation(text);
    if (plugin.empty()) {
        if (!text.empty()) throw std::runtime_error("text behind the outcome: '" + std::string(text) + "'");
        c.expected = e;
    } else {
        if (!text.starts_with('(') || !text.ends_with(')'))
            throw std::runtime_error("the outcome of one transport needs its reason, in parentheses");
        c.on[plugin] = e;
    }
}

void take_line(framing_case& c, std::string_view line) {
    const std::string_view rest = line.size() > 2 ? line.substr(2) : std::string_view{};
    if (line == "> HEAD") {
        c.head_request = true;
    } else if (line == "close") {
        c.closes = true;
    } else if (line.starts_with("< ")) {
        c.bytes += unescaped(rest);
    } else if (line.starts_with("= ")) {
        take_result_line(c, rest);
    } else if (line.starts_with("+ ")) {
        const std::size_t colon = rest.find(':');
        if (colon == std::string_view::npos) throw std::runtime_error("a header is NAME: VALUE");
        c.headers.emplace_back(rest.substr(0, colon), unescaped(trimmed(rest.substr(colon + 1))));
    } else {
        throw std::runtime_error("a line begins with none of [ < > = + # and is not 'close'");
    }
}

void read_file(const std::filesystem::path& path, std::vector<framing_case>& cases, std::set<std::string>& names) {
    std::ifstream file(path);
    int number = 0;
    const auto refuse = [&](const std::string& why) {
        return std::runtime_error(path.string() + ":" + std::to_string(number) + ": " + why);
    };
    const auto complete = [&](const framing_case& c) { return !c.expected.result.empty(); };
    bool begun = false;
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line.empty() || line.starts_with('#')) continue;
        try {
            if (line.starts_with('[')) {
                if (begun && !complete(cases.back())) throw std::runtime_error("the case before has no '= ' line");
                if (!line.ends_with(']')) throw std::runtime_error("a name stands in [ and ]");
                framing_case c;
                c.name = line.substr(1, line.size() - 2);
                if (!names.insert(c.name).second) throw std::runtime_error("a second case " + c.name);
                cases.push_back(std::move(c));
                begun = true;
            } else if (!begun) {
                throw std::runtime_error("no case has begun: [NAME] is missing");
            } else {
                take_line(cases.back(), line);
            }
        } catch (const std::runtime_error& e) {
            throw refuse(e.what());
        }
    }
    if (begun && !complete(cases.back())) throw refuse("the last case has no '= ' line");
}

} // namespace

std::string unescaped(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            bytes += text[i];
            continue;
        }
        if (++i == text.size()) throw std::runtime_error("a backslash at the end of a line");
        switch (text[i]) {
        case 'r':
            bytes += '\r';
            break;
        case 'n':
            bytes += '\n';
            break;
        case 't':
            bytes += '\t';
            break;
        case '0':
            bytes += '\0';
            break;
        case '\\':
        case '"':
            bytes += text[i];
            break;
        case 'x':
            if (i + 2 >= text.size()) throw std::runtime_error("\\x has two digits");
            bytes += static_cast<char>(number<unsigned char>(text.substr(i + 1, 2), 16));
            i += 2;
            break;
        case '{': {
            const std::size_t end = text.find('}', i);
            const std::size_t star = text.rfind('*', end);
            if (end == std::string_view::npos || star == std::string_view::npos || star < i)
                throw std::runtime_error("a repetition is \\{TEXT*N}");
            const std::string once = unescaped(text.substr(i + 1, star - i - 1));
            for (auto n = number<unsigned>(text.substr(star + 1, end - star - 1), 10); n > 0; --n) bytes += once;
            i = end;
            break;
        }
        default:
            throw std::runtime_error(std::string("an escape that there is not: \\") + text[i]);
        }
    }
    return bytes;
}

const expectation& framing_case::expected_on(std::string_view plugin) const {
    const auto own = on.find(std::string(plugin));
    return own == on.end() ? expected : own->second;
}

std::string framing_case::difference(const outcome& seen, std::string_view plugin) const {
    if (!seen.fault.empty()) return "the contract was broken: " + seen.fault;
    const expectation& want = expected_on(plugin);
    if (seen.result() != want.result || (want.body && seen.body != *want.body))
        return "got " + seen.result() + " " + shown(seen.body) + (seen.rc < 0 ? " (" + seen.message + ")" : "") +
               ", wanted " + want.result + (want.body ? " " + shown(*want.body) : "");
    for (const auto& header : headers)
        if (seen.rc >= 0 && std::ranges::count(seen.headers, header) == 0)
            return "no header " + header.first + ": " + shown(header.second);
    return "";
}

std::vector<framing_case> read_cases(const std::string& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".txt") files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<framing_case> cases;
    std::set<std::string> names;
    for (const auto& file : files) read_file(file, cases, names);
    if (cases.empty()) throw std::runtime_error(folder + ": no cases");
    return cases;
}

} // namespace chimera::http_framing
