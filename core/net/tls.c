#include "core/net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

#include "core/crypto/pem.h"

bool tls_check_ca(struct str ca_pem, struct err *err)
{
    CLEANUP(pem_reader_cleanup) BIO *bio = pem_reader(ca_pem);
    size_t count = 0;
    for (;; count++) {
        CLEANUP(pem_certificate_cleanup) X509 *certificate = pem_next_certificate(bio);
        if (certificate == NULL)
            break;
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (count != 0 && at_end)
        return true;
    return err_set(err, ERR_USAGE,
                   count == 0 ? "the certificate authority holds no PEM certificate"
                              : "the certificate authority holds a certificate that cannot be read");
}

static void time_text(const ASN1_TIME *time, char text[32])
{
    struct tm tm = {0};
    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(text, 32, "a time that cannot be read");
}

static bool check_dates(const X509 *certificate, int64_t now_ms, struct err *err)
{
    time_t now = (time_t)(now_ms / 1000);
    char name[160] = "", when[32];
    const ASN1_TIME *from = X509_get0_notBefore(certificate), *until = X509_get0_notAfter(certificate);

    X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof name);
    if (X509_cmp_time(until, &now) < 0) {
        time_text(until, when);
        err_set(err, ERR_DENIED, "the client certificate of %s expired at %s", name, when);
        return err_next(err, "renew it (kubeadm certs renew, or fetch a new kubeconfig from your provider)");
    }
    if (X509_cmp_time(from, &now) > 0) {
        time_text(from, when);
        err_set(err, ERR_DENIED, "the client certificate of %s is not valid before %s", name, when);
        return err_next(err, "check the clock of this machine");
    }
    return true;
}

bool tls_check_client(struct str cert_pem, struct str key_pem, int64_t now_ms, struct err *err)
{
    CLEANUP(pem_reader_cleanup) BIO *cert_bio = pem_reader(cert_pem);
    CLEANUP(pem_reader_cleanup) BIO *key_bio = pem_reader(key_pem);
    CLEANUP(pem_certificate_cleanup) X509 *certificate = pem_next_certificate(cert_bio);
    CLEANUP(pem_key_cleanup) EVP_PKEY *key = pem_next_private_key(key_bio);
    bool fits = certificate != NULL && key != NULL && X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();

    if (certificate == NULL)
        return err_set(err, ERR_USAGE, "the client certificate is no PEM certificate");
    if (key == NULL)
        return err_set(err, ERR_USAGE, "the client key is no PEM key, or a password guards it");
    if (!fits)
        return err_set(err, ERR_USAGE, "the client certificate and the client key do not belong together");
    return check_dates(certificate, now_ms, err);
}
