#include "quic/station.hpp"

#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace chimera::quic {
namespace {

secret secret_of(const std::string& bytes) { return secret(std::as_bytes(std::span(bytes))); }

/// The member's own key, or that of all members.
const group::named_key* key_of(const std::vector<group::named_key>& keys, std::string_view member) {
    for (const std::string_view name : {member, std::string_view("*")})
        if (const auto found = std::ranges::find(keys, name, &group::named_key::name); found != keys.end())
            return &*found;
    return nullptr;
}

[[noreturn]] void lacks_key(std::string_view member) {
    throw sdk::error(CHM_E_INVAL, "member \"" + std::string(member) + "\" has no key: give a line \"" +
                                      std::string(member) + " HEX\", or \"* HEX\" for all members");
}

std::shared_ptr<const credentials> with_keys(const chm_endpoint_args& args, const group::membership& m) {
    std::vector<group::named_key> keys = group::read_keys(sdk::view(args.key));
    struct wiping {
        std::vector<group::named_key>& keys;
        ~wiping() { group::wipe(keys); }
    } const wiped{keys};
    if (!m.is_hub()) {
        const std::string_view name = m.name_of(m.self);
        const group::named_key* key = key_of(keys, name);
        if (key == nullptr) lacks_key(name);
        return credentials::member_with_key({std::string(name), secret_of(key->bytes)});
    }
    std::vector<member_key> all;
    for (const std::string& name : m.members) {
        const group::named_key* key = key_of(keys, name);
        if (key == nullptr) lacks_key(name);
        all.push_back({name, secret_of(key->bytes)});
    }
    return credentials::hub_with_keys(std::move(all));
}

std::string content_of(std::string file, std::string_view endpoint, const char* option) {
    if (const std::size_t at = file.find("%n"); at != std::string::npos) file.replace(at, 2, endpoint);
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in)
        throw sdk::error(CHM_E_INVAL, std::string("option '") + option + "': " + file + ": " + std::strerror(errno));
    return text.str();
}

} // namespace

std::shared_ptr<const credentials> credentials_for(const chm_endpoint_args& args, const station_options& o,
                                                   const group::membership& m) {
    try {
        if (!o.certificates) return with_keys(args, m);
        const std::string_view name = m.name_of(m.self);
        const std::string certificate = content_of(o.certificate, name, "certificate");
        std::string private_key = content_of(o.private_key, name, "private_key");
        const std::string authorities = content_of(o.authorities, name, "authorities");
        const certificate_pem pem{certificate, private_key, authorities};
        auto made = m.is_hub() ? credentials::hub_with_certificate(pem)
                               : credentials::member_with_certificate(pem, std::string(m.name_of(CHM_TO_HUB)));
        explicit_bzero(private_key.data(), private_key.size());
        return made;
    } catch (const std::invalid_argument& e) {
        throw sdk::error(CHM_E_INVAL, e.what());
    }
}

} // namespace chimera::quic
