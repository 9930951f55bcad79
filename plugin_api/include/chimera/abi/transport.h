/** @file
 * chimera/abi/transport.h: an HTTP client. Each session has its own keep-alive connection, or shares one. C99.
 *
 * Example: print a body, from inside the poll of a task, after poll_head has returned CHM_READY.
 * @code{.c}
 * #include <stdio.h>
 *
 * static chm_rc print_body(chm_exchange *x, chm_waker *waker, chm_error *error) {
 *     chm_str piece;
 *     chm_rc rc;
 *     while ((rc = x->vt->poll_chunk(x, waker, &piece, error)) == CHM_READY)
 *         fwrite(piece.ptr, 1, piece.len, stdout);
 *     return rc; // CHM_PENDING, CHM_END or an error
 * }
 * @endcode */
#ifndef CHIMERA_ABI_TRANSPORT_H
#define CHIMERA_ABI_TRANSPORT_H

#include "executor.h"
#include "reactor.h"

CHM_BEGIN

typedef struct chm_transport chm_transport;
typedef struct chm_session chm_session;
typedef struct chm_exchange chm_exchange;

/** Arguments of open. The caller fills them.
 * Rationale: executor and reactor are two arguments. So a transport can be bound to a foreign executor's reactor on purpose,
 * and never by accident. */
typedef struct chm_session_args {
    uint32_t size;          /**< sizeof(chm_session_args) when the caller was compiled */
    uint32_t reserved;      /**< zero */
    chm_executor *executor; /**< its workers poll the session's task. May be NULL in tests */
    chm_reactor *reactor;   /**< for I/O and timers. May be another executor's */
    chm_str base_url;       /**< "http://host:port/prefix", or "http+unix://%2Frun%2Fserver.sock/prefix"; copied */
} chm_session_args;

/** A request. The caller fills it. OWNERSHIP: borrowed for the call, and copied. */
typedef struct chm_request {
    uint32_t size;         /**< sizeof(chm_request) when the caller was compiled */
    uint32_t n_headers;    /**< number of headers */
    chm_str method;        /**< "GET", "POST", ... */
    chm_str path;          /**< with its query; appended to the path of the base URL */
    const chm_kv *headers; /**< without Host and Content-Length, which the transport adds */
    chm_str body;          /**< sent byte for byte, with its length */
} chm_request;

/** Head of a response. OWNERSHIP: the exchange's; valid until the next call on it. */
typedef struct chm_head {
    uint32_t size;         /**< sizeof(chm_head) when the caller was compiled. The caller sets it; the callee writes
                              nothing behind it */
    int32_t status;        /**< as the server sent it, from 200 on. Redirections are not followed */
    const chm_kv *headers; /**< in the order of the response; names as the server sent them */
    size_t n_headers;      /**< number of headers */
} chm_head;

/** Functions of an exchange. Frozen. ZERO TRAP: CHM_OK means CHM_PENDING in both polls (see chm_rc). */
typedef struct chm_exchange_vt {
    uint32_t size;  /**< sizeof(chm_exchange_vt) when the transport was compiled */
    uint32_t flags; /**< zero */
    /** [task-worker & !head] CHM_READY: the final head (not 1xx) is in *head. CHM_PENDING: the waker will be woken.
     * Negative: failed; the message names the URL. The caller polls again only after CHM_PENDING. */
    chm_rc (*poll_head)(chm_exchange *, chm_waker *waker, chm_head *head, chm_error *) CHM_NX;
    /** [task-worker & head] CHM_READY: *view is the next piece of the body, at least one byte. CHM_PENDING: the waker will be
     * woken. CHM_END: the body is complete. Negative: failed. The caller does not poll again after CHM_END or an error.
     * OWNERSHIP: the bytes are the exchange's; valid until the next call on it. */
    chm_rc (*poll_chunk)(chm_exchange *, chm_waker *waker, chm_str *view, chm_error *) CHM_NX;
    /** [task-worker] Frees the exchange. After CHM_END its connection may be used again. Before that, the exchange is
     * cancelled and its connection (with CHM_TRANSPORT_SHARED: its stream) abandoned. No waker is woken afterwards. */
    void (*close)(chm_exchange *) CHM_NX;
} chm_exchange_vt;

/** One request and its response. OWNERSHIP: the caller's of start, who closes it before its session. */
struct chm_exchange {
    const chm_exchange_vt *vt; /**< never NULL, never changed */
};

/** Functions of a session. Frozen. */
typedef struct chm_session_vt {
    uint32_t size;  /**< sizeof(chm_session_vt) when the transport was compiled */
    uint32_t flags; /**< zero */
    /** [task-worker & !open] Begins a request. CHM_E_STATE: another exchange is open. Failures of the connection are
     * reported by the polls of the exchange, not here. */
    chm_rc (*start)(chm_session *, const chm_request *, chm_exchange **out, chm_error *) CHM_NX;
    /** [task-worker & !open] Closes the connection, unless it is shared, and frees the session. */
    void (*close)(chm_session *) CHM_NX;
} chm_session_vt;

/** Owner of one keep-alive connection; with CHM_TRANSPORT_SHARED, user of one.
 * OWNERSHIP: the caller's of open, who closes it before its transport is destroyed. */
struct chm_session {
    const chm_session_vt *vt; /**< never NULL, never changed */
};

/** Flags of a transport's table. */
enum {
    /** Since 1.1. Sessions may share a connection. A session then owns only its exchanges: closing an unfinished one ends
     * its part of the connection (an HTTP/2 stream). The connection may outlive its last session. It is closed when the
     * executor drops its service, or when the transport is destroyed. */
    CHM_TRANSPORT_SHARED = 1,
    /** Since 1.1. It speaks HTTP/2: to "http" URLs with prior knowledge, to "https" URLs by ALPN. */
    CHM_TRANSPORT_HTTP2 = 2
};

/** Functions of a transport. Frozen: new behaviour comes as an extension. */
typedef struct chm_transport_vt {
    uint32_t size;  /**< sizeof(chm_transport_vt) when the transport was compiled */
    uint32_t flags; /**< CHM_TRANSPORT_* */
    /** [task-worker] Opens a session for one agent. Does no I/O and no registration yet. Errors: CHM_E_NOSYS (the URL's
     * scheme is not offered, or a reactor is needed and missing), CHM_E_INVAL (not a URL), CHM_E_AFFINITY. */
    chm_rc (*open)(chm_transport *, const chm_session_args *, chm_session **out, chm_error *) CHM_NX;
    /** [any-thread] Frees everything. Call it after all sessions are closed. */
    void (*destroy)(chm_transport *) CHM_NX;
    /** [any-thread] Returns an extension (CHM_EXT_TIMING), or NULL. Accepts any string. */
    const void *(*get_extension)(chm_transport *, const char *id) CHM_NX;
} chm_transport_vt;

/** An HTTP client. OWNERSHIP: the caller's of create, who destroys it after its sessions. */
struct chm_transport {
    const chm_transport_vt *vt; /**< never NULL, never changed */
};

/** chm_plugin_entry.get_factory(CHM_FACTORY_TRANSPORT) returns a const chm_transport_factory *. */
#define CHM_FACTORY_TRANSPORT "chimera.transport.factory/1"

/** Makes transports. OWNERSHIP: static storage of the plugin. */
typedef struct chm_transport_factory {
    uint32_t size;             /**< sizeof(chm_transport_factory) when the plugin was compiled */
    uint32_t n_options;        /**< number of options. 0: options may be NULL */
    const chm_option *options; /**< the options of an instance. OWNERSHIP: static storage of the plugin */
    /** [any-thread & initialized] Makes a transport. Errors: CHM_E_INVAL for a bad option, or any other code with a message.
     * After an error *out is unchanged. OWNERSHIP: *out is the caller's until destroy. The host outlives it. */
    chm_rc (*create)(const chm_host *, const chm_config *, chm_transport **out, chm_error *) CHM_NX;
} chm_transport_factory;

CHM_END_DECLS
#endif
