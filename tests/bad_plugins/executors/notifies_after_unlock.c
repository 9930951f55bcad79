/* A wake queues the task, and then notifies workers by what the executor owns: the task may be done, and the executor
 * gone, by then. */
#define CREATE make_parking
#define WAKE queue_then_notify
#define DESTROY destroy_parking
#include "around_executor.h"

typedef struct parking {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    unsigned sleepers; /* always one, for all that a wake knows */
} parking;

static _Atomic(parking*) last; /* of the executor that was made last */

static void make_parking(around_executor* e) {
    (void)e;
    parking* p = malloc(sizeof *p);
    if (p == NULL) abort();
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->work, NULL);
    p->sleepers = 1;
    atomic_store(&last, p);
}
static void queue_then_notify(around_task* t) {
    parking* const p = atomic_load(&last);
    wake_inner(t);
    if (p->sleepers > 0) pthread_cond_signal(&p->work);
}
static void destroy_parking(around_executor* e) {
    parking* const p = atomic_load(&last);
    pthread_mutex_destroy(&p->mutex);
    free(p);
    destroy_inner(e);
}
