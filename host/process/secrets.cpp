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

/// Of an option, where a misspelled name of the key's own is to count.
bool option_takes_a_secret(std::string_view option) {
    const std::string plain = letters_of(option);
    if (plain.ends_with("file")) return false; // the file's name is no secret
    return plain.starts_with("api") || plain.ends_with("key") || names_a_secret(option);
}

void overwrite(char* value) {
    const std::size_t size = std::strlen(value);
    std::memset(value, '\0', size);
    std::memset(value, '*', std::min<std::size_t>(size, 3));
}

/// The value in "path.to.token=value"; nullptr where the last name of the path is not that of a secret.
char* secret_in_assignment(char* word) {
    char* equals = std::strchr(word, '=');
    if (equals == nullptr) return nullptr;
    std::string_view name(word, static_cast<std::size_t>(equals - word));
    name.remove_prefix(std::min(name.rfind('.') + 1, name.size())); // none: npos + 1 is 0
    return names_a_secret(name) ? equals + 1 : nullptr;
}

} // namespace

bool names_a_secret(std::string_view name) {
    const std::string plain = letters_of(name);
    constexpr std::array<std::string_view, 10> ends{"apikey", "authorization", "bearer",     "token",  "secret",
                                                    "passwd", "password",      "passphrase", "cookie", "credential"};
    return std::ranges::any_of(ends, [&plain](std::string_view end) { return plain.ends_with(end); });
}

std::vector<std::string> take_arguments(int argc, char** argv) {
    std::vector<std::string> words(argv, argv + argc);
    const auto take = [](char* value) {
        if (value == nullptr || *value == '\0') return;
        if (secret_forms::can_hide(value)) known().mentioned.emplace_back(value);
        overwrite(value);
    };
    for (int i = 1; i < argc; ++i) {
        if (argv[i][0] != '-') continue;
        char* equals = std::strchr(argv[i], '=');
        const std::string_view option(argv[i], equals ? static_cast<std::size_t>(equals - argv[i]) : words[i].size());
        char* value = equals ? equals + 1 : i + 1 < argc ? argv[i + 1] : nullptr;
        if (option_takes_a_secret(option))
            take(value);
        else if (option == "--set" && value != nullptr)
            take(secret_in_assignment(value));
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
    if (scheme_end == std::string_view::npos) return std::string(url);
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
