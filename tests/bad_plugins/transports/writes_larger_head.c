/* All of a head is cleared before it is filled, also members that are not known. */
#define POLL_HEAD clear_head
#include "around_transport.h"

static chm_rc clear_head(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    memset((char*)head + sizeof head->size, 0, head->size - sizeof head->size);
    return poll_head_inner(x, w, head, err);
}
