/* A service is dropped on a thread that is not a worker. */
#define DROP drop_services_on_new_thread
#include "around_executor.h"

static void* drop_here(void* t) {
    drop_inner(t);
    return NULL;
}
static void drop_services_on_new_thread(around_task* t) {
    pthread_t thread;
    if (!t->service)
        drop_inner(t);
    else if (pthread_create(&thread, NULL, drop_here, t) == 0)
        pthread_join(thread, NULL);
}
