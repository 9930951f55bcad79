/* A small HTTP/1.1 client in C for contract 1.0: numeric IPv4 only, and a connection for each exchange. Kept as a
 * binary (see README.md): this source says what is in it, and is not built again. C11. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <chimera/abi.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_LIMIT = 16384, MAX_HEADERS = 64 };

typedef struct session {
    chm_session base;
    chm_reactor* reactor;
    struct sockaddr_in address;
    char url[256], host[64], prefix[160];
    int busy;
} session;

typedef struct exchange {
    chm_exchange base;
    session* owner;
    char* request;
    size_t request_len, sent;
    int fd;
    chm_io* io;
    char buffer[HEAD_LIMIT];
    size_t used, taken; /* bytes in the buffer; of these, given or part of the head */
    enum { PLAIN, CHUNK_SIZE, AFTER_CHUNK, TRAILER } framing;
    long long left; /* of the body, or of the chunk; -1: until the connection closes */
    chm_kv headers[MAX_HEADERS];
} exchange;

static chm_rc fail(chm_error* e, chm_rc rc, const char* url, const char* why) {
    if (e && e->text) snprintf(e->text, e->cap, "%s: %s", url, why);
    return rc;
}

/* Reads into the buffer: bytes, 0 at the end, CHM_E_IO; -100 while there is nothing. */
static long receive(exchange* x, chm_waker* waker) {
    chm_reactor* r = x->owner->reactor;
    const uint32_t seen = r->vt->io_poll(r, x->io, CHM_IO_READ, waker);
    if (seen == 0) return -100;
    const size_t room = sizeof x->buffer - x->used;
    const ssize_t n = recv(x->fd, x->buffer + x->used, room, 0);
    if (n < 0 && errno != EAGAIN) return CHM_E_IO;
    if (n < (ssize_t)room) r->vt->io_clear(r, x->io, seen, CHM_IO_READ, CHM_IO_DRAINED);
    if (n < 0) return receive(x, waker); /* leaves the waker, or finds what came in between */
    x->used += (size_t)n;
    return n;
}

static chm_rc connect_and_send(exchange* x, chm_waker* waker, chm_error* error) {
    session* s = x->owner;
    chm_reactor* r = s->reactor;
    if (x->fd < 0) {
        x->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (x->fd < 0) return fail(error, CHM_E_IO, s->url, strerror(errno));
        if (connect(x->fd, (struct sockaddr*)&s->address, sizeof s->address) != 0 && errno != EINPROGRESS)
            return fail(error, CHM_E_CONNECT, s->url, strerror(errno));
        const chm_rc rc = r->vt->io_register(r, x->fd, &x->io);
        if (rc < 0) return fail(error, rc, s->url, "the reactor refused the socket");
    }
    while (x->sent < x->request_len) {
        const uint32_t seen = r->vt->io_poll(r, x->io, CHM_IO_WRITE, waker);
        if (seen == 0) return CHM_PENDING;
        int why = 0;
        socklen_t size = sizeof why;
        if (x->sent == 0 && getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why != 0)
            return fail(error, CHM_E_CONNECT, s->url, strerror(why));
        const ssize_t n = send(x->fd, x->request + x->sent, x->request_len - x->sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return fail(error, CHM_E_IO, s->url, strerror(errno));
        if (n < 0)
            r->vt->io_clear(r, x->io, seen, CHM_IO_WRITE, CHM_IO_DRAINED);
        else
            x->sent += (size_t)n;
    }
    return CHM_READY;
}

static chm_rc parse(exchange* x, size_t length, chm_head* head, chm_error* error) {
    int status = 0;
    size_t n = 0;
    x->buffer[length] = '\0'; /* over the last '\r' */
    if (sscanf(x->buffer, "HTTP/1.%*d %3d", &status) != 1)
        return fail(error, CHM_E_PROTO, x->owner->url, "the answer is no HTTP");
    x->left = status == 204 || status == 304 ? 0 : -1;
    char* rest = strstr(x->buffer, "\r\n");
    while (rest && n < MAX_HEADERS) {
        char *line = rest + 2, *end = strstr(line, "\r\n"), *colon = strchr(line, ':');
        rest = end;
        if (!end) end = line + strlen(line);
        if (!colon || colon > end) continue;
        char* value = colon + 1;
        while (*value == ' ') ++value;
        while (end > value && end[-1] == ' ') --end;
        const chm_kv header = {{line, (size_t)(colon - line)}, {value, (size_t)(end - value)}};
        x->headers[n++] = header;
        if (header.key.len == 14 && strncasecmp(line, "content-length", 14) == 0) x->left = atoll(value);
        if (header.key.len == 17 && strncasecmp(line, "transfer-encoding", 17) == 0)
            x->left = 0, x->framing = CHUNK_SIZE;
    }
    head->status = status;
    head->headers = x->headers;
    head->n_headers = n;
    return CHM_READY;
}

static chm_rc poll_head(chm_exchange* base, chm_waker* waker, chm_head* head, chm_error* error) {
    exchange* x = (exchange*)base;
    const chm_rc ready = connect_and_send(x, waker, error);
    if (ready != CHM_READY) return ready;
    for (;;) {
        const char* end = memmem(x->buffer, x->used, "\r\n\r\n", 4);
        if (end) {
            x->taken = (size_t)(end - x->buffer) + 4;
            return parse(x, x->taken - 4, head, error);
        }
        if (x->used == sizeof x->buffer) return fail(error, CHM_E_LIMIT, x->owner->url, "the head is too large");
        const long n = receive(x, waker);
        if (n == -100) return CHM_PENDING;
        if (n < 0) return fail(error, CHM_E_IO, x->owner->url, strerror(errno));
        if (n == 0) return fail(error, CHM_E_CLOSED, x->owner->url, "closed before the head was complete");
    }
}

/* Passes over what frames a chunk. CHM_READY: bytes of the body come next; CHM_END; CHM_PENDING: more has to be read.
 */
static chm_rc next_chunk(exchange* x, chm_error* error) {
    for (;;) {
        char *line = x->buffer + x->taken, *end = memmem(line, x->used - x->taken, "\r\n", 2), *rest = line;
        if (!end) return CHM_PENDING;
        x->taken = (size_t)(end - x->buffer) + 2;
        if (x->framing == AFTER_CHUNK) {
            if (end != line) return fail(error, CHM_E_PROTO, x->owner->url, "a malformed chunk");
            x->framing = CHUNK_SIZE;
        } else if (x->framing == CHUNK_SIZE) {
            x->left = strtoll(line, &rest, 16);
            if (rest == line || x->left < 0) return fail(error, CHM_E_PROTO, x->owner->url, "a malformed chunk");
            x->framing = x->left == 0 ? TRAILER : AFTER_CHUNK;
            if (x->left > 0) return CHM_READY;
        } else if (end == line) {
            x->framing = PLAIN;
            return CHM_END;
        }
    }
}

static chm_rc poll_chunk(chm_exchange* base, chm_waker* waker, chm_str* view, chm_error* error) {
    exchange* x = (exchange*)base;
    for (;;) {
        if (x->left == 0) {
            const chm_rc rc = x->framing == PLAIN ? CHM_END : next_chunk(x, error);
            if (rc != CHM_READY && rc != CHM_PENDING) return rc;
        }
        if (x->left != 0 && x->taken < x->used) {
            size_t n = x->used - x->taken;
            if (x->left >= 0 && (long long)n > x->left) n = (size_t)x->left;
            *view = (chm_str){x->buffer + x->taken, n};
            x->taken += n;
            if (x->left > 0) x->left -= (long long)n;
            return CHM_READY;
        }
        memmove(x->buffer, x->buffer + x->taken, x->used -= x->taken);
        x->taken = 0;
        const long n = receive(x, waker);
        if (n == -100) return CHM_PENDING;
        if (n < 0) return fail(error, CHM_E_IO, x->owner->url, strerror(errno));
        if (n == 0 && x->left >= 0)
            return fail(error, CHM_E_CLOSED, x->owner->url, "closed before the body was complete");
        if (n == 0) return CHM_END;
    }
}

static void close_exchange(chm_exchange* base) {
    exchange* x = (exchange*)base;
    chm_reactor* r = x->owner->reactor;
    if (x->io) r->vt->io_deregister(r, x->io);
    if (x->fd >= 0) close(x->fd);
    x->owner->busy = 0;
    free(x->request);
    free(x);
}
static const chm_exchange_vt exchange_table = {sizeof exchange_table, 0, poll_head, poll_chunk, close_exchange};

static chm_rc start(chm_session* base, const chm_request* q, chm_exchange** out, chm_error* error) {
    session* s = (session*)base;
    if (s->busy) return fail(error, CHM_E_STATE, s->url, "an exchange is unfinished");
    size_t cap = 512 + strlen(s->prefix) + q->method.len + q->path.len + q->body.len;
    for (uint32_t i = 0; i < q->n_headers; ++i) cap += q->headers[i].key.len + q->headers[i].value.len + 4;
    exchange* x = calloc(1, sizeof *x);
    if (!x || !(x->request = malloc(cap))) return free(x), CHM_E_NOMEM;
    char* p = x->request;
    p += sprintf(p, "%.*s %s%.*s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
                 (int)q->method.len, q->method.ptr, s->prefix, (int)q->path.len, q->path.ptr, s->host, q->body.len);
    for (uint32_t i = 0; i < q->n_headers; ++i)
        p += sprintf(p, "%.*s: %.*s\r\n", (int)q->headers[i].key.len, q->headers[i].key.ptr,
                     (int)q->headers[i].value.len, q->headers[i].value.ptr);
    p = mempcpy(p, "\r\n", 2);
    if (q->body.len > 0) p = mempcpy(p, q->body.ptr, q->body.len);
    x->request_len = (size_t)(p - x->request);
    x->base.vt = &exchange_table;
    x->owner = s;
    x->fd = -1;
    s->busy = 1;
    *out = &x->base;
    return CHM_OK;
}
static void close_session(chm_session* base) { free(base); }
static const chm_session_vt session_table = {sizeof session_table, 0, start, close_session};

static chm_rc open_session(chm_transport* t, const chm_session_args* a, chm_session** out, chm_error* error) {
    char url[256], ip[16];
    unsigned port = 0;
    int end = 0;
    (void)t;
    snprintf(url, sizeof url, "%.*s", (int)a->base_url.len, a->base_url.ptr);
    if (!CHM_HAS(a, base_url) || !a->reactor) return fail(error, CHM_E_NOSYS, url, "no reactor is given");
    if (strstr(url, "://") && strncasecmp(url, "http://", 7) != 0) return fail(error, CHM_E_NOSYS, url, "not http");
    session* s = calloc(1, sizeof *s);
    if (!s) return CHM_E_NOMEM;
    if (strncasecmp(url, "http://", 7) != 0 || sscanf(url + 7, "%15[0-9.]:%5u%n", ip, &port, &end) != 2 ||
        port > 65535 || inet_pton(AF_INET, ip, &s->address.sin_addr) != 1 || strlen(url + 7 + end) >= sizeof s->prefix)
        return free(s), fail(error, CHM_E_INVAL, url, "expected http://a.b.c.d:port/prefix");
    memcpy(s->url, url, sizeof url);
    snprintf(s->host, sizeof s->host, "%s:%u", ip, port);
    strcpy(s->prefix, url + 7 + end);
    if (strcmp(s->prefix, "/") == 0) s->prefix[0] = '\0';
    s->address.sin_family = AF_INET;
    s->address.sin_port = htons((uint16_t)port);
    s->base.vt = &session_table;
    s->reactor = a->reactor;
    *out = &s->base;
    return CHM_OK;
}
static void destroy(chm_transport* t) { (void)t; }
static const void* get_extension(chm_transport* t, const char* id) { return (void)t, (void)id, NULL; }
static const chm_transport_vt table = {sizeof table, 0, open_session, destroy, get_extension};
static chm_transport instance = {&table}; /* it has no state, so one does for all */

static chm_rc create(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* error) {
    (void)host;
    if (config && config->n > 0) {
        const chm_str key = config->kv[0].key;
        if (error && error->text) snprintf(error->text, error->cap, "unknown option '%.*s'", (int)key.len, key.ptr);
        return CHM_E_INVAL;
    }
    *out = &instance;
    return CHM_OK;
}
static const chm_transport_factory factory = {sizeof factory, 0, NULL, create};
static const void* get_factory(const char* id) { return strcmp(id, CHM_FACTORY_TRANSPORT) == 0 ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {
    sizeof chimera_plugin_entry,          CHM_ABI_MAJOR, CHM_ABI_MINOR, 0,          "abi_1_0_transport", "1.0",
    "A transport built for contract 1.0", NULL,          NULL,          get_factory};
