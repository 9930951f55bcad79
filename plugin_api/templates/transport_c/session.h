/* The session. my_transport.c opens sessions and starts exchanges; exchange.c connects, sends and receives. */
#pragma once

#include <chimera/abi.h>
#include <chimera/sdk/http1.h>
#include <netdb.h>

/* A session, its connection and its exchange: there is one at a time, so all are one object. One thread uses it. */
typedef struct session {
    chm_session base; /* first, so that a chm_session * is a session * */
    chm_exchange exchange;
    chm_reactor* reactor;
    char *url, *host, *port, *request;
    chm_http1_url parts; /* of url */
    size_t request_size, sent;
    struct addrinfo *addresses, *next; /* while connecting: all addresses, and the next to try */
    int fd, refused, open, may_retry;  /* refused: errno of the address before */
    chm_io* io;
    chm_http1 response;
    chm_str unread; /* the rest in buffer */
    char buffer[16384];
} session;

extern const chm_exchange_vt exchange_table;

/* Writes "url: why" for the caller. Returns rc. */
chm_rc fail(const char* url, chm_rc rc, const char* why, chm_error* error);
void disconnect(session* s);
