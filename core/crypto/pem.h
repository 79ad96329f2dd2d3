/* pem.h — certificates and keys from PEM text, through OpenSSL. Nothing here asks for a password on the terminal: a key
 * behind one cannot be read. What is returned is the caller's to free, by CLEANUP or by hand. */
#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/base/base.h"

/* A reader over the text, which must outlive it; NULL beyond 2 GiB. */
BIO *pem_reader(struct str pem);
/* The next one in the text; NULL at its end or where it cannot be read (OpenSSL's error queue tells which). */
X509 *pem_next_certificate(BIO *reader);
EVP_PKEY *pem_next_private_key(BIO *reader);

void pem_reader_cleanup(BIO **reader);
void pem_certificate_cleanup(X509 **certificate);
void pem_key_cleanup(EVP_PKEY **key);
