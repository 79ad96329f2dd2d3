#include "tests/harness/certs.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static struct str pem_of(struct arena *arena, BIO *bio)
{
    char *ptr;
    long len = BIO_get_mem_data(bio, &ptr);
    struct str text = str_dup(arena, (struct str){ptr, (size_t)len});
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    if (extension == NULL)
        abort();
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *read_cert(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

static void set_names_and_dates(X509 *certificate, const struct cert_wish *wish)
{
    int64_t serial = 0;
    bool dated = wish->from_days != 0 || wish->to_days != 0;
    RAND_bytes((unsigned char *)&serial, 7);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (dated ? wish->from_days : -1) * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (dated ? wish->to_days : 1) * 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)wish->common_name, -1, -1, 0);
}

struct cert cert_make(struct arena *arena, const struct cert_wish *wish)
{
    EVP_PKEY *key = wish->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509 *issuer = wish->issuer ? read_cert(wish->issuer->cert_pem) : certificate;
    EVP_PKEY *issuer_key = wish->issuer ? read_key(wish->issuer->key_pem) : key;

    set_names_and_dates(certificate, wish);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    X509_set_pubkey(certificate, key);
    add_extension(certificate, issuer, NID_basic_constraints, wish->issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (wish->alt_names != NULL)
        add_extension(certificate, issuer, NID_subject_alt_name, wish->alt_names);
    if (X509_sign(certificate, issuer_key, EVP_sha256()) == 0)
        abort();

    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(cert_bio, certificate);
    PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
    struct cert made = {pem_of(arena, cert_bio), pem_of(arena, key_bio)};
    if (wish->issuer != NULL) {
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
}
