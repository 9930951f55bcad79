#include "process/secrets.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <chimera/sdk/owned_fd.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "process/secret_forms.hpp"

namespace chimera::host {
namespace {

constexpr std::size_t longest_key = 16 * 1024; ///< more than any server takes in a header

/// Written on the main thread before any other exists, read by all.
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

/// "--api-keyS", the blank between them forgotten.
bool is_key_option_with_value(std::string_view word) {
    return word.starts_with(key_option) && word.find('=') == std::string_view::npos &&
           word.size() > key_option.size() && !word.starts_with("--api-key-f");
}

/// Of an option, where a misspelled name of the key's own is to count, also with another dash or none.
bool option_takes_a_secret(std::string_view option) {
    const std::string plain = letters_of(option);
    if (!option.starts_with('-')) return plain == "apikey" && option.find('/') == std::string_view::npos;
    if (plain.ends_with("file")) return false; // the file's name is no secret
    return plain.starts_with("api") || plain.ends_with("key") || names_a_secret(option);
}

/// Hands on each value in a word such as `headers.token=S` or `headers={"X-Api-Key"="S", Authorization='S'}` whose
/// name is that of a secret.
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
        // Outside of a table a value ends with the word.
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
        char* equals = std::strchr(argv[i], '=');
        const std::string_view option = word.substr(0, word.find('='));
        char* value = equals ? equals + 1 : i + 1 < argc ? argv[i + 1] : nullptr;
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
        throw std::runtime_error("--api-key-file: there is no file of the name that was given");
    if (!file) refuse("cannot be read: " + message());
    std::string text(longest_key + 1, '\0');
    std::size_t size = 0;
    for (ssize_t n = 1; n != 0 && size < text.size();) {
        n = read(file.get(), text.data() + size, text.size() - size);
        if (n < 0 && errno != EINTR) refuse("cannot be read: " + message());
        if (n > 0) size += static_cast<std::size_t>(n);
    }
    if (size > longest_key) refuse(fmt::format("has more than {} bytes; give a file with the key alone", longest_key));
    text.resize(size);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty()) refuse("is empty; give a file with the key alone");
    if (text.find('\n') != std::string::npos) refuse("has more than one line; give a file with the key alone");
    return text;
}

std::string key_fault(std::string_view key) {
    if (key.starts_with("--")) return "the key begins with '--', as an option does: was it left out?";
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
    if (scheme_end == std::string_view::npos) { // user:password@host is a proxy to some
        const std::size_t at = url.rfind('@'), colon = url.find(':');
        if (at == std::string_view::npos || colon > at) return std::string(url);
        const std::size_t before = url.find_last_of("=\"' /", colon);
        const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
        return std::string(url.substr(0, begin)) + "***" + std::string(url.substr(at));
    }
    std::string out(url.substr(0, scheme_end + 3));
    std::string_view rest = url.substr(scheme_end + 3);
    // The last '@', wherever it is: a password that was not encoded may hold '/', '?' and '#'.
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
