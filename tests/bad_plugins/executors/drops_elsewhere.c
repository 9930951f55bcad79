/* A task is dropped on a thread that may not poll it. */
#define DROP drop_on_new_thread
#include "around_executor.h"

static void* drop_here(void* t) {
    drop_inner(t);
    return NULL;
}
static void drop_on_new_thread(around_task* t) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, drop_here, t) == 0) pthread_join(thread, NULL);
}
