#include "certificates.hpp"

#include <stdexcept>

#include <gnutls/abstract.h>

namespace chimera::quic::test {
namespace {

void check(int result) {
    if (result < 0) throw std::runtime_error(gnutls_strerror(result));
}

std::string taken(gnutls_datum_t& d) {
    std::string text(reinterpret_cast<char*>(d.data), d.size);
    gnutls_free(d.data);
    return text;
}

gnutls_x509_privkey_t new_key() {
    gnutls_x509_privkey_t key = nullptr;
    check(gnutls_x509_privkey_init(&key));
    check(
        gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519), 0));
    return key;
}

gnutls_x509_crt_t new_certificate(gnutls_x509_privkey_t key, const std::string& name, validity times) {
    static unsigned char serial = 0;
    gnutls_x509_crt_t c = nullptr;
    check(gnutls_x509_crt_init(&c));
    check(gnutls_x509_crt_set_version(c, 3));
    const unsigned char number[] = {1, ++serial};
    check(gnutls_x509_crt_set_serial(c, number, sizeof number));
    check(gnutls_x509_crt_set_activation_time(c, times.from));
    check(gnutls_x509_crt_set_expiration_time(c, times.until));
    check(gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, name.data(),
                                        static_cast<unsigned>(name.size())));
    check(gnutls_x509_crt_set_key(c, key));
    return c;
}

std::string pem_of(gnutls_x509_crt_t c) {
    gnutls_datum_t d{};
    check(gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_PEM, &d));
    return taken(d);
}

} // namespace

authority::authority(const std::string& name) : key_(new_key()), certificate_(new_certificate(key_, name, {})) {
    check(gnutls_x509_crt_set_basic_constraints(certificate_, 1, 0));
    check(gnutls_x509_crt_set_key_usage(certificate_, GNUTLS_KEY_KEY_CERT_SIGN));
    check(gnutls_x509_crt_sign2(certificate_, certificate_, key_, GNUTLS_DIG_SHA512, 0));
    pem_ = pem_of(certificate_);
}

authority::~authority() {
    gnutls_x509_crt_deinit(certificate_);
    gnutls_x509_privkey_deinit(key_);
}

issued authority::issue(const std::string& common_name, const std::string& dns, validity times) const {
    auto* key = new_key();
    auto* c = new_certificate(key, common_name, times);
    check(gnutls_x509_crt_set_basic_constraints(c, 0, -1));
    check(gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_DIGITAL_SIGNATURE));
    if (!dns.empty())
        check(gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, dns.data(), static_cast<unsigned>(dns.size()),
                                                   GNUTLS_FSAN_SET));
    check(gnutls_x509_crt_sign2(c, certificate_, key_, GNUTLS_DIG_SHA512, 0));
    issued result;
    result.certificate = pem_of(c);
    gnutls_datum_t d{};
    check(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, nullptr, 0, &d));
    result.key = taken(d);
    gnutls_x509_crt_deinit(c);
    gnutls_x509_privkey_deinit(key);
    return result;
}

} // namespace chimera::quic::test
