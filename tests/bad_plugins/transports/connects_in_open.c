/* The connection is made when the session is opened. */
#define OPEN open_and_connect
#include "around_transport.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static chm_rc open_and_connect(around_session* s, chm_error* err) {
    struct sockaddr_in to = {0};
    unsigned port = 0;
    if (sscanf(s->args.base_url.ptr, "http://127.0.0.1:%u", &port) == 1) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons((uint16_t)port);
        if (connect(fd, (struct sockaddr*)&to, sizeof to) < 0) to.sin_port = 0;
        close(fd);
    }
    return open_inner(s, err);
}
