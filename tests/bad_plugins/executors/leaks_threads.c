/* Every executor leaves a thread running. */
#define CREATE start_one
#include "around_executor.h"

static void* sleep_long(void* nothing) {
    sleep(3600);
    return nothing;
}
static void start_one(around_executor* e) {
    (void)e;
    pthread_t thread;
    if (pthread_create(&thread, NULL, sleep_long, NULL) == 0) pthread_detach(thread);
}
