#include "server_room.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

#include "expect.hpp"

namespace chimera::conformance {

namespace {

constexpr std::size_t longest_folder = 80; // of the 107 bytes of a socket's path

std::filesystem::path new_folder() {
    std::error_code none;
    std::string pattern = (std::filesystem::temp_directory_path(none) / "chimera-kit-XXXXXX").string();
    if (none || pattern.size() > longest_folder) pattern = "/tmp/chimera-kit-XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
    return pattern;
}

void add_extension(X509& to, int what, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &to, &to, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, what, value);
    expect(made && X509_add_ext(&to, made, -1), "the kit's certificate must be made");
    X509_EXTENSION_free(made);
}

void write_certificate(const tls_identity& identity, const std::filesystem::path& path) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "w"), BIO_free);
    expect(file && PEM_write_bio_X509(file.get(), identity.certificate.get()), "the kit's certificate must be written");
}

} // namespace

tls_identity tls_identity::made() {
    tls_identity i;
    i.key = {EVP_EC_gen("P-256"), EVP_PKEY_free};
    i.certificate = {X509_new(), X509_free};
    expect(i.key && i.certificate, "the kit's key must be made");
    X509& c = *i.certificate;
    X509_set_version(&c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(&c), 1);
    constexpr long hour = 3600;
    X509_gmtime_adj(X509_getm_notBefore(&c), -24 * hour);
    X509_gmtime_adj(X509_getm_notAfter(&c), 48 * hour);
    X509_NAME* name = X509_get_subject_name(&c);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(&c, name);
    X509_set_pubkey(&c, i.key.get());
    add_extension(c, NID_basic_constraints, "critical,CA:TRUE"); // its own authority
    add_extension(c, NID_subject_key_identifier, "hash");
    add_extension(c, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    add_extension(c, NID_ext_key_usage, "serverAuth");
    expect(X509_sign(&c, i.key.get(), EVP_sha256()) > 0, "the kit's certificate must be signed");
    return i;
}

server_room::server_room() : folder_(new_folder()), identity_(tls_identity::made()) {
    write_certificate(identity_, ca_file());
}

server_room::~server_room() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path server_room::new_socket() const {
    static std::atomic<unsigned> number{0};
    return folder_ / (std::to_string(::getpid()) + "." + std::to_string(++number) + ".sock");
}

} // namespace chimera::conformance
