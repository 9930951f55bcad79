/* my_transport: HTTP/1.1 on one non-blocking socket for each session. The host opens a session for each agent, and
 * starts one exchange at a time. It polls the exchange for the head, and then for the pieces of the body (exchange.c).
 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void forget_addresses(session* s) {
    if (s->addresses) freeaddrinfo(s->addresses);
    s->addresses = NULL;
}

#define TEXT(s) (int)(s).len, (s).ptr
/* Copies the request. The I/O begins with the first poll. */
static chm_rc start(chm_session* base, const chm_request* r, chm_exchange** out, chm_error* error) {
    session* const s = (session*)base;
    char byte;
    if (s->open) return fail(s->url, CHM_E_STATE, "the exchange before this one is still open", error);
    free(s->request);
    FILE* const f = open_memstream(&s->request, &s->request_size);
    if (!f) return s->request = NULL, CHM_E_NOMEM;
    fprintf(f, "%.*s %.*s%.*s HTTP/1.1\r\n", TEXT(r->method), TEXT(s->parts.prefix), TEXT(r->path));
    fprintf(f, "Host: %.*s\r\nContent-Length: %zu\r\n", TEXT(s->parts.authority), r->body.len);
    for (uint32_t i = 0; i < r->n_headers; ++i)
        fprintf(f, "%.*s: %.*s\r\n", TEXT(r->headers[i].key), TEXT(r->headers[i].value));
    fprintf(f, "\r\n");
    if (r->body.len > 0) fwrite(r->body.ptr, 1, r->body.len, f);
    if (fclose(f)) return CHM_E_NOMEM;
    chm_http1_begin(&s->response, r->method.len == 4 && !memcmp(r->method.ptr, "HEAD", 4));
    /* A used connection can be used again only if it is open and silent. */
    if (s->fd >= 0 && (recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)) disconnect(s);
    forget_addresses(s);
    s->may_retry = s->fd >= 0;
    s->sent = 0;
    s->open = 1;
    *out = &s->exchange;
    return CHM_OK;
}
static void close_session(chm_session* base) {
    session* const s = (session*)base;
    disconnect(s);
    forget_addresses(s);
    free(s->request), free(s->url), free(s->host), free(s->port), free(s);
}
static const chm_session_vt session_table = {sizeof session_table, 0, start, close_session};

static chm_rc open_session(chm_transport* t, const chm_session_args* args, chm_session** out, chm_error* error) {
    session* const s = calloc(1, sizeof *s);
    (void)t;
    if (!s) return CHM_E_NOMEM;
    s->base.vt = &session_table;
    s->exchange.vt = &exchange_table;
    s->reactor = args->reactor;
    s->fd = -1;
    const char* const given = args->base_url.ptr ? args->base_url.ptr : "";
    chm_rc rc = (s->url = strndup(given, args->base_url.len)) ? CHM_OK : CHM_E_NOMEM;
    if (rc == CHM_OK && (rc = chm_http1_split_url((chm_str){s->url, strlen(s->url)}, &s->parts)) < 0)
        fail(s->url, rc, "not an http:// URL", error);
    if (rc == CHM_OK && !s->reactor) rc = fail(s->url, CHM_E_NOSYS, "a session needs a reactor", error);
    if (rc == CHM_OK && (!(s->host = strndup(s->parts.host.ptr, s->parts.host.len)) ||
                         !(s->port = strndup(s->parts.port.ptr, s->parts.port.len))))
        rc = CHM_E_NOMEM;
    if (rc < 0) return close_session(&s->base), rc;
    *out = &s->base;
    return CHM_OK;
}
static void destroy(chm_transport* t) { free(t); }
static const void* get_extension(chm_transport* t, const char* id) { return (void)t, (void)id, NULL; }
static const chm_transport_vt table = {sizeof table, 0, open_session, destroy, get_extension};

static chm_rc create(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* error) {
    (void)host;
    if (config && config->n > 0) { /* there are no options, and not every host checks that */
        const chm_str key = config->kv[0].key;
        if (error && error->text) snprintf(error->text, error->cap, "unknown option '%.*s'", TEXT(key));
        return CHM_E_INVAL;
    }
    if (!(*out = calloc(1, sizeof **out))) return CHM_E_NOMEM;
    return (*out)->vt = &table, CHM_OK;
}
static const chm_transport_factory factory = {sizeof factory, 0, NULL, create};
static const void* get_factory(const char* id) { return id && !strcmp(id, CHM_FACTORY_TRANSPORT) ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {.size = sizeof(chm_plugin_entry),
                                                          .abi_major = CHM_ABI_MAJOR,
                                                          .abi_minor = CHM_ABI_MINOR,
                                                          .id = "my_transport",
                                                          .version = "0.1",
                                                          .description = "HTTP/1.1, one socket for each session",
                                                          .get_factory = get_factory};
