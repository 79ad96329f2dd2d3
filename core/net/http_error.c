/* libcurl reports a number and a sentence for programmers. Here each becomes a message for the person who has to do
 * something about it. */
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "core/net/http_intern.h"

static enum again explain_connect(const struct transfer *t, struct err *err)
{
    long number = 0;
    char text[128];
    curl_easy_getinfo(t->http->easy, CURLINFO_OS_ERRNO, &number);
    if (number == ECONNREFUSED) {
        err_set(err, ERR_UNREACHABLE, "connection refused");
        err_next(err, "check that the server runs and listens on this address and port");
    } else if (number != 0) {
        err_set(err, ERR_UNREACHABLE, "no connection: %s", strerror_r((int)number, text, sizeof text));
        err_next(err, "check address, network and proxy settings");
    } else {
        err_set(err, ERR_UNREACHABLE, "no connection");
        err_next(err, "check address, network and proxy settings");
    }
    return AGAIN_MANY;
}

static enum again explain_timeout(const struct transfer *t, struct err *err)
{
    curl_off_t connected = 0, sent = 0;
    curl_easy_getinfo(t->http->easy, CURLINFO_APPCONNECT_TIME_T, &connected);
    if (connected == 0)
        curl_easy_getinfo(t->http->easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(t->http->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
    if (connected == 0 && sent == 0)
        err_set(err, ERR_UNREACHABLE, "no connection within %lld ms",
                (long long)t->http->options.connect_timeout_ms);
    else
        err_set(err, ERR_UNREACHABLE, "no byte came for %lld ms",
                (long long)t->http->options.idle_timeout_ms);
    err_next(err, "check network and proxy, and whether the server is overloaded");
    return AGAIN_FEW;
}

/* The certificate of the server. */
static enum again explain_server_certificate(const struct transfer *t, struct err *err)
{
    long verdict = 0;
    curl_easy_getinfo(t->http->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        err_set(err, ERR_UNREACHABLE, "the server's certificate has expired");
        err_next(err, "renew the certificate of the server, or check the clock of this machine");
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        err_set(err, ERR_UNREACHABLE, "the server's certificate is not valid yet");
        err_next(err, "check the clock of this machine");
        break;
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED: /* what libcurl starts from: the chain was never at fault */
        err_set(err, ERR_UNREACHABLE, "the server's certificate is for another name");
        err_next(err, "use a name that the certificate holds (tls-server-name in a kubeconfig)");
        break;
    default:
        err_set(err, ERR_UNREACHABLE, "the server's certificate is not trusted: %s",
                X509_verify_cert_error_string(verdict));
        err_next(
            err,
            "name the authority that signed it: certificate-authority in a kubeconfig, caFile of a store");
    }
    return AGAIN_NEVER;
}

/* The server says by a TLS alert what it thinks of our certificate; with TLS 1.3 only at the first read. */
static bool explain_alert(const struct transfer *t, struct err *err)
{
    static const struct {
        const char *alert, *says;
    } alerts[] = {
        {"alert certificate required", "the server demands a client certificate"},
        {"alert certificate expired", "the server says that the client certificate has expired"},
        {"alert unknown ca", "the server does not trust the authority of the client certificate"},
        {"alert certificate unknown", "the server refuses the client certificate"},
        {"alert bad certificate", "the server refuses the client certificate"},
        {"alert certificate revoked", "the client certificate was revoked"},
    };
    for (size_t i = 0; i < COUNT_OF(alerts); i++)
        if (strstr(t->http->detail, alerts[i].alert) != NULL) {
            err_set(err, ERR_DENIED, "%s", alerts[i].says);
            err_next(err, "check client-certificate and client-key, or fetch a new kubeconfig");
            return true;
        }
    return false;
}

static enum again explain_tls(const struct transfer *t, struct err *err)
{
    if (explain_alert(t, err))
        return AGAIN_NEVER;
    err_set(err, ERR_UNREACHABLE, "no TLS connection: %s",
            t->http->detail[0] ? t->http->detail : "the handshake failed");
    err_next(err, "check that the server speaks TLS 1.2 or later on this port");
    return AGAIN_FEW;
}

static bool explain_tunnel(const struct transfer *t, struct err *err, enum again *ret_again)
{
    long status = 0;
    curl_easy_getinfo(t->http->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return false;
    err_set(err, ERR_UNREACHABLE, "the proxy refused the way to the server: HTTP %ld", status);
    err_next(err, status == 407
                      ? "check user and password of the proxy"
                      : "ask for the server to be allowed on the proxy, or go without it (NO_PROXY)");
    *ret_again = status >= 500 ? AGAIN_FEW : AGAIN_NEVER;
    return true;
}

static enum again explain_cut(const struct transfer *t, CURLcode code, struct err *err)
{
    enum again tunnel;
    if (explain_alert(t, err))
        return AGAIN_NEVER;
    if (explain_tunnel(t, err, &tunnel))
        return tunnel;
    if (t->received != 0 || code == CURLE_PARTIAL_FILE)
        err_set(err, ERR_UNREACHABLE, "the reply was cut short after %zu bytes", t->received);
    else
        err_set(err, ERR_UNREACHABLE, "the connection was closed before the reply");
    err_next(err, "run it again; if it stays, look at the proxies and load balancers in between");
    return AGAIN_MANY;
}

static enum again explain_host(struct err *err, const char *what)
{
    err_set(err, ERR_UNREACHABLE, "the name of the %s does not resolve", what);
    err_next(err, "check its spelling and the DNS settings of this machine");
    return AGAIN_MANY;
}

enum again http_explain(const struct transfer *t, CURLcode code, struct err *err)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return explain_host(err, "server");
    case CURLE_COULDNT_RESOLVE_PROXY: return explain_host(err, "proxy");
    case CURLE_COULDNT_CONNECT: return explain_connect(t, err);
    case CURLE_OPERATION_TIMEDOUT: return explain_timeout(t, err);
    case CURLE_PEER_FAILED_VERIFICATION: return explain_server_certificate(t, err);
    case CURLE_SSL_CONNECT_ERROR: return explain_tls(t, err);
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return explain_cut(t, code, err);
    default:
        err_set(err, ERR_UNREACHABLE, "%s", t->http->detail[0] ? t->http->detail : curl_easy_strerror(code));
        return AGAIN_NEVER;
    }
}
