/* chimera/abi/transport.h -- an HTTP client: sessions that own one keep-alive connection each. C99. */
#ifndef CHIMERA_ABI_TRANSPORT_H
#define CHIMERA_ABI_TRANSPORT_H

#include "executor.h"
#include "reactor.h"

CHM_BEGIN

typedef struct chm_transport chm_transport;
typedef struct chm_session chm_session;
typedef struct chm_exchange chm_exchange;

/* Rationale: executor and reactor are two arguments, and nothing is ambient, so that "a transport bound to a foreign runtime's
 * reactor" is one honest configuration instead of an accident. */
typedef struct chm_session_args {
    uint32_t size;
    uint32_t reserved;      /* zero */
    chm_executor *executor; /* whose workers poll the session's task; may be NULL in tests */
    chm_reactor *reactor;   /* where I/O and timers are registered; may be another executor's */
    chm_str base_url;       /* "http://host:port/prefix"; copied */
} chm_session_args;

typedef struct chm_request {
    uint32_t size;
    uint32_t n_headers;
    chm_str method, path; /* the path is appended to the base URL's own */
    const chm_kv *headers;
    chm_str body;
} chm_request;

/* Head of a response. Ownership: the exchange's, valid until the next call on it. */
typedef struct chm_head {
    uint32_t size;
    int32_t status;
    const chm_kv *headers;
    size_t n_headers;
} chm_head;

typedef struct chm_exchange_vt {
    uint32_t size;
    uint32_t flags; /* zero */
    /* [task's worker] CHM_READY: the final (not 1xx) head is in *head. CHM_PENDING: waker will be woken. Negative: failed, with
     * a message that names the URL. head->size is set by the caller. Once per exchange to completion. */
    chm_rc (*poll_head)(chm_exchange *, chm_waker *waker, chm_head *head, chm_error *) CHM_NX;
    /* [task's worker, after poll_head was ready] CHM_READY: the next piece of the body, at least one byte, valid until the next
     * call on this exchange. CHM_END: the body is complete. CHM_PENDING: waker will be woken. Negative: failed. */
    chm_rc (*poll_chunk)(chm_exchange *, chm_waker *waker, chm_str *view, chm_error *) CHM_NX;
    /* [task's worker] Frees the exchange. After CHM_END the connection may be reused; unfinished, the exchange is cancelled
     * and its connection abandoned. No waker is woken afterwards. */
    void (*close)(chm_exchange *) CHM_NX;
} chm_exchange_vt;

struct chm_exchange {
    const chm_exchange_vt *vt;
};

typedef struct chm_session_vt {
    uint32_t size;
    uint32_t flags; /* zero */
    /* [task's worker] Begins a request; the arguments are copied. One exchange at a time (CHM_E_STATE). */
    chm_rc (*start)(chm_session *, const chm_request *, chm_exchange **out, chm_error *) CHM_NX;
    /* [task's worker, no exchange open] Closes the connection and frees the session. */
    void (*close)(chm_session *) CHM_NX;
} chm_session_vt;

struct chm_session {
    const chm_session_vt *vt;
};

typedef struct chm_transport_vt {
    uint32_t size;
    uint32_t flags; /* zero */
    /* [task's worker] A session for one agent: no I/O and no registration yet. Errors: CHM_E_NOSYS (URL scheme not offered, or
     * no reactor given where one is needed), CHM_E_INVAL (URL). */
    chm_rc (*open)(chm_transport *, const chm_session_args *, chm_session **out, chm_error *) CHM_NX;
    /* [any thread, all sessions closed] */
    void (*destroy)(chm_transport *) CHM_NX;
    /* [any thread] CHM_EXT_TIMING, or NULL. Any string must be accepted. */
    const void *(*get_extension)(chm_transport *, const char *id) CHM_NX;
} chm_transport_vt;

struct chm_transport {
    const chm_transport_vt *vt;
};

#define CHM_FACTORY_TRANSPORT "chimera.transport.factory/1"

typedef struct chm_transport_factory {
    uint32_t size;
    uint32_t n_options;
    const chm_option *options;
    /* [any thread, after init] A new transport in *out. Ownership: the caller's until destroy. host outlives it. */
    chm_rc (*create)(const chm_host *, const chm_config *, chm_transport **out, chm_error *) CHM_NX;
} chm_transport_factory;

CHM_END_DECLS
#endif
