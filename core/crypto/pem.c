#include "core/crypto/pem.h"

#include <openssl/pem.h>

/* A key behind a password would otherwise ask on the terminal. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
    return -1;
}

BIO *pem_reader(struct str pem)
{
    return pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.len ? pem.ptr : "", (int)pem.len) : NULL;
}

X509 *pem_next_certificate(BIO *reader)
{
    return reader ? PEM_read_bio_X509(reader, NULL, no_password, NULL) : NULL;
}

EVP_PKEY *pem_next_private_key(BIO *reader)
{
    return reader ? PEM_read_bio_PrivateKey(reader, NULL, no_password, NULL) : NULL;
}

void pem_reader_cleanup(BIO **reader)
{
    BIO_free(*reader);
}

void pem_certificate_cleanup(X509 **certificate)
{
    X509_free(*certificate);
}

void pem_key_cleanup(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
