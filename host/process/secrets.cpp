#include "process/secrets.hpp"

#include <chimera/sdk/owned_fd.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace chimera::host {

// ---- secret_forms

namespace {

constexpr std::size_t fewest = 8;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string in_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4U];
        out += digits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
}

/// Base64 of a text that begins `before` bytes into a group of three, without the characters that depend on its unknown
/// neighbours.
std::string in_base64(std::string_view bytes, std::size_t before, std::string_view last_two) {
    std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    alphabet += last_two;
    const std::string padded = std::string(before, '\0') + std::string(bytes);
    std::string out;
    for (std::size_t bit = 0; bit + 6 <= padded.size() * 8; bit += 6) {
        const auto at = [&padded](std::size_t i) -> std::uint32_t {
            return i < padded.size() ? static_cast<unsigned char>(padded[i]) : 0U;
        };
        const std::uint32_t pair = at(bit / 8) << 8U | at(bit / 8 + 1);
        out += alphabet[pair >> (10U - bit % 8U) & 63U];
    }
    return out.substr(std::min(out.size(), before == 0 ? 0 : before + 1));
}

/// A character as it was written: itself, or an escape of several bytes.
struct unit {
    char character;
    std::size_t size;
};

unit number(std::string_view text, std::size_t begin, std::size_t digits, int base) {
    if (begin + digits > text.size()) return {'\0', 0};
    unsigned value = 0;
    const char* from = text.data() + begin;
    const auto [end, error] = std::from_chars(from, from + digits, value, base);
    if (error != std::errc() || end != from + digits || value == 0 || value > 127) return {'\0', 0};
    return {static_cast<char>(value), begin + digits};
}

unit entity(std::string_view text) {
    const std::size_t end = text.substr(0, 10).find(';');
    if (end == std::string_view::npos) return {'\0', 0};
    const std::string_view name = text.substr(1, end - 1);
    unit found{'\0', 0};
    if (name.starts_with("#x") || name.starts_with("#X"))
        found = number(text, 3, end - 3, 16);
    else if (name.starts_with('#'))
        found = number(text, 2, end - 2, 10);
    else
        for (const auto& [known, character] :
             {std::pair{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}})
            if (name == known) found = {character, end};
    if (found.size != 0) found.size = end + 1;
    return found;
}

/// The escape at the beginning of a text; size 0: there is none.
unit escape(std::string_view text) {
    switch (text.front()) {
    case '%':
        if (text.starts_with("%25")) // encoded twice
            if (const unit twice = number(text, 3, 2, 16); twice.size != 0) return twice;
        return number(text, 1, 2, 16);
    case '=':
        return number(text, 1, 2, 16);
    case '&':
        return entity(text);
    case '\\': {
        constexpr std::size_t most_slashes = 8; // JSON in JSON in JSON
        const std::size_t slashes = text.substr(0, most_slashes).find_first_not_of('\\');
        if (slashes == std::string_view::npos) return {'\0', 0};
        const std::string_view code = text.substr(slashes);
        unit found = code.front() == 'u'                                           ? number(code, 1, 4, 16)
                     : code.front() == 'x'                                         ? number(code, 1, 2, 16)
                     : std::isalnum(static_cast<unsigned char>(code.front())) != 0 ? unit{'\0', 0}
                                                                                   : unit{code.front(), 1};
        if (found.size != 0) found.size += slashes;
        return found;
    }
    default:
        return {'\0', 0};
    }
}

bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("+/=_-").find(c) != std::string_view::npos;
}

} // namespace

bool secret_forms::can_hide(std::string_view secret) noexcept { return secret.size() >= fewest; }

secret_forms::secret_forms(std::string_view secret) {
    const auto half = [](std::string_view text) { return std::max(fewest, (text.size() + 1) / 2); };
    add(std::string(secret), half(secret), false);
    const std::string_view tail = secret.substr(secret.size() / 2);
    if (tail.size() >= fewest) add(std::string(tail), tail.size(), false);
    add({secret.rbegin(), secret.rend()}, half(secret), false);
    add(in_hex(secret), 2 * half(secret), true);
    for (const std::size_t before : {0U, 1U, 2U})
        for (const char* last_two : {"+/", "-_"}) {
            const std::string text = in_base64(secret, before, last_two);
            add(text, half(text), true);
        }
    for (const char c : {'%', '=', '&', '\\'}) may_begin_[static_cast<unsigned char>(c)] = true;
}

void secret_forms::add(std::string text, std::size_t least, bool within_a_word) {
    std::ranges::transform(text, text.begin(), lower);
    if (text.size() < least) return;
    for (const char c : {text.front(), static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())))})
        may_begin_[static_cast<unsigned char>(c)] = true;
    forms_.push_back({std::move(text), least, within_a_word});
}

std::size_t secret_forms::end_at(std::string_view text, std::size_t begin, bool& within_a_word) const {
    std::size_t furthest = 0;
    for (const form& f : forms_) {
        std::size_t matched = 0, at = begin;
        while (matched < f.text.size() && at < text.size()) {
            const unit escaped = escape(text.substr(at));
            if (escaped.size != 0 && lower(escaped.character) == f.text[matched])
                at += escaped.size;
            else if (lower(text[at]) == f.text[matched])
                ++at;
            else
                break;
            ++matched;
        }
        if (matched < f.least || at <= furthest) continue;
        furthest = at;
        within_a_word = f.within_a_word;
    }
    return furthest;
}

void secret_forms::hide_in(std::string& text) const {
    std::string out;
    std::size_t kept = 0; // this much of the text is in `out`
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!may_begin_[static_cast<unsigned char>(text[i])]) continue;
        bool within_a_word = false;
        std::size_t end = end_at(text, i, within_a_word);
        if (end == 0) continue;
        std::size_t begin = i;
        if (within_a_word) {
            while (begin > kept && in_word(text[begin - 1])) --begin;
            while (end < text.size() && in_word(text[end])) ++end;
        }
        out.append(text, kept, begin - kept).append("***");
        kept = end;
        i = end - 1;
    }
    if (kept == 0) return;
    text = out.append(text, kept, std::string::npos);
}

// ---- this process's secrets

namespace {

constexpr std::size_t longest_key = 16 * 1024; ///< more than any server accepts in a header

/// Written on the main thread before other threads exist, read by all.
struct known_secrets {
    std::vector<std::string> short_ones;
    std::vector<secret_forms> held, mentioned;
};

known_secrets& known() {
    static known_secrets all;
    return all;
}

std::string letters_of(std::string_view name) {
    std::string plain;
    for (const char c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return plain;
}

constexpr std::string_view key_option = "--api-key";

/// "--api-keyS": the blank is missing.
bool is_key_option_with_value(std::string_view word) {
    return word.starts_with(key_option) && word.find('=') == std::string_view::npos &&
           word.size() > key_option.size() && !word.starts_with("--api-key-f");
}

/// True also for a misspelled --api-key, with another dash or without dashes.
bool option_takes_a_secret(std::string_view option) {
    const std::string plain = letters_of(option);
    if (!option.starts_with('-')) return plain == "apikey" && option.find('/') == std::string_view::npos;
    if (plain.ends_with("file")) return false; // the file's name is not a secret
    return plain.starts_with("api") || plain.ends_with("key") || names_a_secret(option);
}

/// Calls `take` for each value whose name announces a secret, in a word such as `headers.token=S` or
/// `headers={"X-Api-Key"="S", Authorization='S'}`.
template <class Take>
void for_each_assigned_secret(char* word, const Take& take) {
    const std::string_view text(word);
    for (std::size_t equals = 0; (equals = text.find('=', equals)) != std::string_view::npos;) {
        const std::size_t name_end = text.find_last_not_of(" \t\"'", equals == 0 ? 0 : equals - 1);
        const std::size_t before = text.find_last_of(" \t\"'{,.=", name_end);
        const std::size_t name_begin = before == std::string_view::npos ? 0 : before + 1;
        std::size_t begin = std::min(text.find_first_not_of(" \t", ++equals), text.size());
        if (name_end == std::string_view::npos || name_end < name_begin || begin == text.size() ||
            !names_a_secret(text.substr(name_begin, name_end + 1 - name_begin)))
            continue;
        const bool quoted = text[begin] == '"' || text[begin] == '\'';
        // Outside a table the value ends with the word.
        const char* ends = quoted ? (text[begin] == '"' ? "\"" : "'") : text.find('{') < equals ? ",}" : "";
        if (quoted) ++begin;
        const std::size_t end = std::min(text.find_first_of(ends, begin), text.size());
        take(word + begin, end - begin);
        equals = end;
    }
}

} // namespace

bool names_a_secret(std::string_view name) {
    std::string plain = letters_of(name);
    while (!plain.empty() && std::isdigit(static_cast<unsigned char>(plain.back())) != 0)
        plain.pop_back(); // "api_key_2"
    constexpr std::array<std::string_view, 15> ends{
        "apikey", "secretkey", "accesskey", "privatekey", "subscriptionkey", "auth",   "authorization", "bearer",
        "token",  "secret",    "passwd",    "password",   "passphrase",      "cookie", "credential"};
    return std::ranges::any_of(ends, [&plain](std::string_view end) { return plain.ends_with(end); });
}

std::vector<std::string> take_arguments(int argc, char** argv) {
    std::vector<std::string> words(argv, argv + argc);
    const auto take = [](char* value, std::size_t size) {
        const std::string_view secret(value, size);
        if (secret_forms::can_hide(secret)) known().mentioned.emplace_back(secret);
        std::memset(value, '*', size);
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = words[static_cast<std::size_t>(i)];
        const std::size_t equals = word.find('=');
        const std::string_view option = word.substr(0, equals);
        char* value = equals != std::string_view::npos ? argv[i] + equals + 1 : i + 1 < argc ? argv[i + 1] : nullptr;
        if (is_key_option_with_value(word))
            take(argv[i] + key_option.size(), word.size() - key_option.size());
        else if (value != nullptr && option_takes_a_secret(option))
            take(value, std::strlen(value));
        else if (value != nullptr && option == "--set")
            for_each_assigned_secret(value, take);
    }
    return words;
}

std::string take_variable(const char* name) {
    char* value = std::getenv(name);
    if (value == nullptr) return {};
    std::string taken = value;
    explicit_bzero(value, taken.size());
    unsetenv(name);
    return taken;
}

std::string read_key_file(const std::string& path) {
    const auto refuse = [&path](const std::string& why) {
        throw std::runtime_error(fmt::format("--api-key-file {}: {}", path, why));
    };
    const auto message = [] { return std::generic_category().message(errno); };
    const sdk::owned_fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && errno == ENOENT && path.find('/') == std::string::npos) // the key itself, perhaps
        throw std::runtime_error("--api-key-file: the file does not exist");
    if (!file) refuse("cannot be read: " + message());
    std::string text(longest_key + 1, '\0');
    std::size_t size = 0;
    for (ssize_t n = 1; n != 0 && size < text.size();) {
        n = read(file.get(), text.data() + size, text.size() - size);
        if (n < 0 && errno != EINTR) refuse("cannot be read: " + message());
        if (n > 0) size += static_cast<std::size_t>(n);
    }
    if (size > longest_key)
        refuse(fmt::format("has more than {} bytes; give a file that contains only the key", longest_key));
    text.resize(size);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty()) refuse("is empty; give a file that contains only the key");
    if (text.find('\n') != std::string::npos) refuse("has more than one line; give a file that contains only the key");
    return text;
}

std::string key_fault(std::string_view key) {
    if (key.starts_with("--")) return "the key begins with '--' like an option: was the key left out?";
    const auto bad = std::ranges::find_if(key, [](char c) { return c <= ' ' || c > '~'; });
    if (bad != key.end())
        return fmt::format("the key's character {} is not a visible ASCII character, so no header can carry the key",
                           bad - key.begin() + 1);
    if (key.size() > longest_key) return fmt::format("the key has more than {} characters", longest_key);
    return {};
}

void hold_secret(std::string secret) {
    if (secret.empty()) return;
    prctl(PR_SET_DUMPABLE, 0);
    if (secret_forms::can_hide(secret))
        known().held.emplace_back(secret);
    else
        known().short_ones.push_back(std::move(secret));
}

void redact(std::string& text) {
    for (const secret_forms& secret : known().held) secret.hide_in(text);
    for (const std::string& secret : known().short_ones)
        for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
            text.replace(at, secret.size(), "***");
}

std::string redacted(std::string_view message) {
    std::string text(message);
    for (const auto* all : {&known().held, &known().mentioned})
        for (const secret_forms& secret : *all) secret.hide_in(text);
    std::string out;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t scheme_end = rest.find("://");
        if (scheme_end == std::string_view::npos) return out.append(rest);
        const std::size_t end = std::min(rest.find_first_of(" \t\r\n\"'<>`", scheme_end), rest.size());
        out += without_url_secrets(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    return out;
}

std::string without_url_secrets(std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) { // user:password@host: some libraries take it as a proxy
        const std::size_t at = url.rfind('@'), colon = url.find(':');
        if (at == std::string_view::npos || colon > at) return std::string(url);
        const std::size_t before = url.find_last_of("=\"' /", colon);
        const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
        return std::string(url.substr(0, begin)) + "***" + std::string(url.substr(at));
    }
    std::string out(url.substr(0, scheme_end + 3));
    std::string_view rest = url.substr(scheme_end + 3);
    // The last '@' anywhere: a password that is not encoded may contain '/', '?' and '#'.
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        out += "***";
        rest.remove_prefix(at);
    }
    const std::size_t query = std::min(rest.find_first_of("?#"), rest.size());
    out += rest.substr(0, query);
    rest.remove_prefix(query);
    const std::size_t fragment = std::min(rest.find('#'), rest.size());
    std::string_view pairs = rest.substr(0, fragment);
    while (!pairs.empty()) { // begins with '?' or '&'
        const std::string_view pair = pairs.substr(0, std::min(pairs.find('&', 1), pairs.size()));
        const std::size_t equals = pair.find('=');
        out += pair.size() == 1                   ? std::string(pair)
               : equals == std::string_view::npos ? std::string(1, pair.front()) + "***"
               : equals + 1 == pair.size()        ? std::string(pair)
                                                  : std::string(pair.substr(0, equals + 1)) + "***";
        pairs.remove_prefix(pair.size());
    }
    if (fragment < rest.size()) out += rest.size() == fragment + 1 ? "#" : "#***";
    return out;
}

} // namespace chimera::host
