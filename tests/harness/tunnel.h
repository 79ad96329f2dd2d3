/* tunnel.h — a small CONNECT proxy on loopback: leads every request to one port of this machine, whatever name it asks
 * for, and remembers what was asked. For tests of proxy-url. */
#pragma once
#include "core/base/base.h"

struct tunnel;

/* Everything goes to 127.0.0.1:port. */
struct tunnel *tunnel_start(uint16_t port);
uint16_t tunnel_port(const struct tunnel *tunnel);
/* Ends it. Returns the head of the last CONNECT request, lines ended by CRLF; empty when none came (kept until
 * tunnel_free). */
const char *tunnel_stop(struct tunnel *tunnel);
void tunnel_free(struct tunnel *tunnel);
