/* A transport around a sound one. A plugin of this folder names a function of its own in place of what it does wrong,
 * then includes this and defines the function. PLUGIN_ID is its file's name, SOUND_TRANSPORT the file of the sound one.
 */
#include "../sound.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct around_transport {
    chm_transport base;
    chm_transport* inner;
} around_transport;

typedef struct around_session {
    chm_session base;
    chm_session* inner;
    around_transport* transport;
    chm_session_args args; /* its URL is a copy */
    unsigned exchanges;
    void* extra; /* the plugin's own; freed with the session */
} around_session;

typedef struct around_exchange {
    chm_exchange base;
    chm_exchange* inner;
    around_session* session;
    char* kept; /* room of the plugin's own; freed with the exchange */
    size_t kept_size, given;
    bool ended;
    chm_timer* timer; /* the plugin's own, as its use of these two */
    uint64_t due;
} around_exchange;

/* What a sound transport does. */
static inline chm_rc open_inner(around_session* s, chm_error* err) {
    return s->transport->inner->vt->open(s->transport->inner, &s->args, &s->inner, err);
}
static inline chm_rc start_inner(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err) {
    return s->inner->vt->start(s->inner, r, out, err);
}
static inline void close_session_inner(around_session* s) { s->inner->vt->close(s->inner); }
static inline chm_rc poll_head_inner(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    return x->inner->vt->poll_head(x->inner, w, head, err);
}
static inline chm_rc poll_chunk_inner(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    return x->inner->vt->poll_chunk(x->inner, w, view, err);
}
static inline void close_inner(around_exchange* x) { x->inner->vt->close(x->inner); }
static const chm_timing_ext* inner_timing; /* the same for every transport of the sound plugin */
static inline void read_timing_inner(const around_exchange* x, chm_exchange_timing* out) {
    inner_timing->read(x->inner, out);
}

/* What a plugin of this folder does instead. */
#ifndef OPEN
#define OPEN open_inner
#endif
#ifndef START
#define START start_inner
#endif
#ifndef CLOSE_SESSION
#define CLOSE_SESSION close_session_inner
#endif
#ifndef POLL_HEAD
#define POLL_HEAD poll_head_inner
#endif
#ifndef POLL_CHUNK
#define POLL_CHUNK poll_chunk_inner
#endif
#ifndef CLOSE
#define CLOSE close_inner
#endif
#ifndef READ_TIMING
#define READ_TIMING read_timing_inner
#endif

static chm_rc OPEN(around_session* s, chm_error* err);
static chm_rc START(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err);
static void CLOSE_SESSION(around_session* s);
static chm_rc POLL_HEAD(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err);
static chm_rc POLL_CHUNK(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err);
static void CLOSE(around_exchange* x);
static void READ_TIMING(const around_exchange* x, chm_exchange_timing* out);

static chm_rc exchange_poll_head(chm_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    return POLL_HEAD((around_exchange*)x, w, head, err);
}
static chm_rc exchange_poll_chunk(chm_exchange* base, chm_waker* w, chm_str* view, chm_error* err) {
    around_exchange* x = (around_exchange*)base;
    const chm_rc rc = POLL_CHUNK(x, w, view, err);
    if (rc == CHM_END) x->ended = true;
    return rc;
}
static void exchange_close(chm_exchange* base) {
    around_exchange* x = (around_exchange*)base;
    CLOSE(x);
    free(x->kept);
    free(x);
}
static const chm_exchange_vt exchange_table = {sizeof exchange_table, 0, exchange_poll_head, exchange_poll_chunk,
                                               exchange_close};

static chm_rc session_start(chm_session* base, const chm_request* r, chm_exchange** out, chm_error* err) {
    around_session* s = (around_session*)base;
    chm_exchange* inner = NULL;
    const chm_rc rc = START(s, r, &inner, err);
    if (rc < 0) return rc;
    around_exchange* x = calloc(1, sizeof *x);
    if (x == NULL) abort();
    ++s->exchanges;
    x->base.vt = &exchange_table;
    x->inner = inner;
    x->session = s;
    *out = &x->base;
    return CHM_OK;
}
static void session_close(chm_session* base) {
    around_session* s = (around_session*)base;
    CLOSE_SESSION(s);
    free((char*)s->args.base_url.ptr);
    free(s->extra);
    free(s);
}
static const chm_session_vt session_table = {sizeof session_table, 0, session_start, session_close};

static chm_rc transport_open(chm_transport* t, const chm_session_args* args, chm_session** out, chm_error* err) {
    around_session* s = calloc(1, sizeof *s);
    char* url = malloc(args->base_url.len + 1);
    if (s == NULL || url == NULL) abort();
    memcpy(url, args->base_url.ptr, args->base_url.len);
    s->base.vt = &session_table;
    s->transport = (around_transport*)t;
    s->args = *args;
    s->args.size = sizeof s->args;
    s->args.base_url.ptr = url;
    const chm_rc rc = OPEN(s, err);
    if (rc < 0) {
        free(url);
        free(s);
        return rc;
    }
    *out = &s->base;
    return CHM_OK;
}

static void read_timing(const chm_exchange* x, chm_exchange_timing* out) {
    READ_TIMING((const around_exchange*)x, out);
}
static const chm_timing_ext timing = {sizeof timing, 0, read_timing};

static const void* transport_extension(chm_transport* t, const char* id) {
    const void* inner = ((around_transport*)t)->inner->vt->get_extension(((around_transport*)t)->inner, id);
    if (inner == NULL || strcmp(id, CHM_EXT_TIMING) != 0) return NULL;
    inner_timing = inner;
    return &timing;
}
static void transport_destroy(chm_transport* base) {
    around_transport* t = (around_transport*)base;
    t->inner->vt->destroy(t->inner);
    free(t);
}
static const chm_transport_vt transport_table = {sizeof transport_table, 0, transport_open, transport_destroy,
                                                 transport_extension};

static inline chm_transport* around(chm_transport* inner) {
    around_transport* t = calloc(1, sizeof *t);
    if (t == NULL) abort();
    t->base.vt = &transport_table;
    t->inner = inner;
    return &t->base;
}

#ifdef SOUND_TRANSPORT /* a bridge has an entry of its own */
static const chm_transport_factory* sound;

static inline chm_rc create_inner(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* err) {
    return sound->create(host, config, out, err);
}
#ifndef CREATE
#define CREATE create_inner
#endif
static chm_rc CREATE(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* err);

static chm_rc create(const chm_host* host, const chm_config* config, chm_transport** out, chm_error* err) {
    chm_transport* inner = NULL;
    const chm_rc rc = CREATE(host, config, &inner, err);
    if (rc == CHM_OK) *out = around(inner);
    return rc;
}

static chm_transport_factory factory = {sizeof factory, 0, NULL, create}; /* options: the sound factory's */

static chm_rc init(const chm_host* host, chm_error* err) {
    (void)host, (void)err;
    sound = sound_factory(SOUND_TRANSPORT, CHM_FACTORY_TRANSPORT);
    factory.n_options = sound->n_options;
    factory.options = sound->options;
    return CHM_OK;
}
static const void* get_factory(const char* id) { return strcmp(id, CHM_FACTORY_TRANSPORT) == 0 ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {
    sizeof(chm_plugin_entry),         CHM_ABI_MAJOR, CHM_ABI_MINOR, 0,          PLUGIN_ID, "1.0",
    "A transport around a sound one", init,          NULL,          get_factory};
#endif
