/** @file
 * chimera/abi/transport.h: an HTTP client: sessions that own one keep-alive connection each, or share some. C99. */
#ifndef CHIMERA_ABI_TRANSPORT_H
#define CHIMERA_ABI_TRANSPORT_H

#include "executor.h"
#include "reactor.h"

CHM_BEGIN

typedef struct chm_transport chm_transport;
typedef struct chm_session chm_session;
typedef struct chm_exchange chm_exchange;

/** What a session is opened with. Filled by the caller.
 * Rationale: executor and reactor are two arguments, and nothing is ambient, so that "a transport bound to a foreign runtime's
 * reactor" is one honest configuration instead of an accident. */
typedef struct chm_session_args {
    uint32_t size;          /**< sizeof(chm_session_args) as the caller was compiled */
    uint32_t reserved;      /**< zero */
    chm_executor *executor; /**< whose workers poll the session's task; may be NULL in tests */
    chm_reactor *reactor;   /**< where I/O and timers are registered; may be another executor's */
    chm_str base_url;       /**< "http://host:port/prefix", or "http+unix://%2Frun%2Fserver.sock/prefix"; copied */
} chm_session_args;

/** What is asked for. Filled by the caller; borrowed for the call. */
typedef struct chm_request {
    uint32_t size;         /**< sizeof(chm_request) as the caller was compiled */
    uint32_t n_headers;    /**< how many headers there are */
    chm_str method;        /**< "GET", "POST", ... */
    chm_str path;          /**< with its query; appended to the base URL's own path */
    const chm_kv *headers; /**< beside Host and Content-Length, which are the transport's */
    chm_str body;          /**< sent with its length, byte for byte */
} chm_request;

/** Head of a response. Ownership: the exchange's, valid until the next call on it. */
typedef struct chm_head {
    uint32_t size;         /**< sizeof(chm_head) as the caller was compiled, and set by it; nothing behind it is written */
    int32_t status;        /**< as sent, from 200 on; redirections are not followed */
    const chm_kv *headers; /**< in their order; names as they were sent */
    size_t n_headers;      /**< how many */
} chm_head;

/** What an exchange can do. Frozen. */
typedef struct chm_exchange_vt {
    uint32_t size;  /**< sizeof(chm_exchange_vt) as its owner was compiled */
    uint32_t flags; /**< zero */
    /** [task's worker] CHM_READY: the final (not 1xx) head is in *head. CHM_PENDING: waker will be woken. Negative: failed,
     * with a message that names the URL. head->size is set by the caller. Not called again once it has answered anything but
     * CHM_PENDING. */
    chm_rc (*poll_head)(chm_exchange *, chm_waker *waker, chm_head *head, chm_error *) CHM_NX;
    /** [task's worker, after poll_head was ready] CHM_READY: the next piece of the body, at least one byte, valid until the
     * next call on this exchange. CHM_END: the body is complete. CHM_PENDING: waker will be woken. Negative: failed. Not called
     * again after CHM_END or an error. */
    chm_rc (*poll_chunk)(chm_exchange *, chm_waker *waker, chm_str *view, chm_error *) CHM_NX;
    /** [task's worker] Frees the exchange. After CHM_END the connection may be reused; unfinished, the exchange is cancelled
     * and its connection (with CHM_TRANSPORT_SHARED: its stream) abandoned. No waker is woken afterwards. */
    void (*close)(chm_exchange *) CHM_NX;
} chm_exchange_vt;

/** One request and its response. Ownership: whoever started it closes it, before its session. */
struct chm_exchange {
    const chm_exchange_vt *vt; /**< never NULL; the same as long as the object lives */
};

/** What a session can do. Frozen. */
typedef struct chm_session_vt {
    uint32_t size;  /**< sizeof(chm_session_vt) as its owner was compiled */
    uint32_t flags; /**< zero */
    /** [task's worker] Begins a request; the arguments are copied. One exchange at a time (CHM_E_STATE). What goes wrong with
     * the connection is said by the exchange's polls, not here. */
    chm_rc (*start)(chm_session *, const chm_request *, chm_exchange **out, chm_error *) CHM_NX;
    /** [task's worker, no exchange open] Closes the connection, unless it is shared, and frees the session. */
    void (*close)(chm_session *) CHM_NX;
} chm_session_vt;

/** Owner of one keep-alive connection, or, with CHM_TRANSPORT_SHARED, a user of one. Ownership: whoever opened it closes it, before its transport is destroyed. */
struct chm_session {
    const chm_session_vt *vt; /**< never NULL; the same as long as the object lives */
};

/** Flags of a transport's table. */
enum {
    /** Since 1.1. Sessions may share a connection. A session then owns its exchanges only: closing an unfinished one ends its
     * part of the connection (an HTTP/2 stream), and the connection may stay open after its last session, until the executor
     * drops its service or the transport is destroyed. */
    CHM_TRANSPORT_SHARED = 1,
    /** Since 1.1. It speaks HTTP/2: with prior knowledge to "http" URLs, negotiated by ALPN with "https" ones. */
    CHM_TRANSPORT_HTTP2 = 2
};

/** What a transport can do. Frozen. */
typedef struct chm_transport_vt {
    uint32_t size;  /**< sizeof(chm_transport_vt) as its owner was compiled */
    uint32_t flags; /**< CHM_TRANSPORT_* */
    /** [task's worker] A session for one agent: no I/O and no registration yet. Errors: CHM_E_NOSYS (URL scheme not offered, or
     * no reactor given where one is needed), CHM_E_INVAL (URL), CHM_E_AFFINITY. */
    chm_rc (*open)(chm_transport *, const chm_session_args *, chm_session **out, chm_error *) CHM_NX;
    /** [any thread, all sessions closed] Frees everything. */
    void (*destroy)(chm_transport *) CHM_NX;
    /** [any thread] CHM_EXT_TIMING, or NULL. Any string must be accepted. */
    const void *(*get_extension)(chm_transport *, const char *id) CHM_NX;
} chm_transport_vt;

/** An HTTP client. Ownership: whoever had it created destroys it, after its sessions. */
struct chm_transport {
    const chm_transport_vt *vt; /**< never NULL; the same as long as the object lives */
};

/** chm_plugin_entry.get_factory(CHM_FACTORY_TRANSPORT) gives a const chm_transport_factory *. */
#define CHM_FACTORY_TRANSPORT "chimera.transport.factory/1"

/** Makes transports. Ownership: static storage of the plugin. */
typedef struct chm_transport_factory {
    uint32_t size;             /**< sizeof(chm_transport_factory) as its owner was compiled */
    uint32_t n_options;        /**< how many options there are; 0: options may be NULL */
    const chm_option *options; /**< the options that instances understand; static storage of the plugin */
    /** [any thread, after init] A new transport in *out. Errors: CHM_E_INVAL for a bad option, others with a message; *out is
     * then untouched. Ownership: the caller's until destroy. host outlives it. */
    chm_rc (*create)(const chm_host *, const chm_config *, chm_transport **out, chm_error *) CHM_NX;
} chm_transport_factory;

CHM_END_DECLS
#endif
