#include "tests/harness/tunnel.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_HEAD = 4096 };

/* One connection after the other: what is tested keeps one open at most. */
struct tunnel {
    int listener, stop[2]; /* a pipe whose end says that it is over */
    uint16_t port, target;
    pthread_t thread;
    char head[MAX_HEAD];
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* False when the tunnel ends. */
static bool wait_readable(struct tunnel *t, int a, int b, int *ret_ready)
{
    struct pollfd polls[3] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {t->stop[0], POLLIN, 0}};
    if (poll(polls, 3, -1) <= 0 || polls[2].revents != 0)
        return false;
    *ret_ready = polls[0].revents ? a : b;
    return true;
}

static bool read_head(int fd, char head[MAX_HEAD])
{
    size_t len = 0;
    while (len + 1 < MAX_HEAD && strstr(head, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, head + len, 1, 0);
        if (got <= 0)
            return false;
        head[++len] = '\0';
    }
    return true;
}

static void pump(struct tunnel *t, int client, int server)
{
    char bytes[16 << 10];
    int from;
    while (wait_readable(t, client, server, &from)) {
        ssize_t got = recv(from, bytes, sizeof bytes, 0);
        int to = from == client ? server : client;
        if (got <= 0 || send(to, bytes, (size_t)got, MSG_NOSIGNAL) != got)
            return;
    }
}

static void serve(struct tunnel *t, int client)
{
    static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct sockaddr_in address = loopback(t->target);
    char head[MAX_HEAD] = "";
    if (!read_head(client, head))
        return;
    memcpy(t->head, head, sizeof head);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(client, yes, sizeof yes - 1, MSG_NOSIGNAL) == (ssize_t)sizeof yes - 1)
        pump(t, client, server);
    close(server);
}

static void *run(void *ctx)
{
    struct tunnel *t = ctx;
    int ready;
    while (wait_readable(t, t->listener, -1, &ready)) {
        int client = accept(t->listener, NULL, NULL);
        serve(t, client);
        close(client);
    }
    return NULL;
}

struct tunnel *tunnel_start(uint16_t port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    struct tunnel *t = calloc(1, sizeof *t);
    if (t == NULL)
        abort();
    t->target = port;
    t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(t->listener, (struct sockaddr *)&address, len) != 0 || listen(t->listener, 16) != 0 ||
        getsockname(t->listener, (struct sockaddr *)&address, &len) != 0 || pipe(t->stop) != 0)
        abort();
    t->port = ntohs(address.sin_port);
    pthread_create(&t->thread, NULL, run, t);
    return t;
}

uint16_t tunnel_port(const struct tunnel *t)
{
    return t->port;
}

const char *tunnel_stop(struct tunnel *t)
{
    close(t->stop[1]);
    pthread_join(t->thread, NULL);
    close(t->stop[0]);
    close(t->listener);
    return t->head;
}

void tunnel_free(struct tunnel *t)
{
    free(t);
}
