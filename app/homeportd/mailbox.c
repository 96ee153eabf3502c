/* SPDX-License-Identifier: BSD-3-Clause */
#include "mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

/* A command that waits, on the stack of the thread that waits for it. */
struct letter {
    struct command *command;
    enum command_step step;
    sem_t answered;
};

/* A ring. The lock is held for a few instructions only, but its holder may lose its processor meanwhile: so
 * control only ever tries it, and answers through the letter's own semaphore. */
struct mailbox {
    pthread_mutex_t lock;
    bool closed;
    unsigned first, count;
    struct letter *ring[MAILBOX_CAPACITY];
};

struct mailbox *mailbox_create(void)
{
    struct mailbox *m = calloc(1, sizeof(*m));
    if (m != NULL)
        pthread_mutex_init(&m->lock, NULL);
    return m;
}

void mailbox_destroy(struct mailbox *m)
{
    if (m == NULL)
        return;
    mailbox_close(m);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static struct letter *take(struct mailbox *m)
{
    if (m->count == 0)
        return NULL;
    struct letter *letter = m->ring[m->first];
    m->first = (m->first + 1) % MAILBOX_CAPACITY;
    m->count--;
    return letter;
}

static enum command_step refuse(struct command *command, const char *reason)
{
    snprintf(command->refusal, sizeof(command->refusal), "%s", reason);
    return COMMAND_REFUSED;
}

static void answer(struct letter *letter, enum command_step step)
{
    letter->step = step;
    sem_post(&letter->answered); /* the letter is its writer's again, and may be gone */
}

/* Why the letter was not accepted; NULL: it was. */
static const char *post(struct mailbox *m, struct letter *letter)
{
    const char *reason = NULL;
    pthread_mutex_lock(&m->lock);
    if (m->closed)
        reason = "the appliance is stopping";
    else if (m->count == MAILBOX_CAPACITY)
        reason = "too many commands are waiting";
    else
        m->ring[(m->first + m->count++) % MAILBOX_CAPACITY] = letter;
    pthread_mutex_unlock(&m->lock);
    return reason;
}

enum command_step mailbox_run(struct mailbox *m, struct command *command)
{
    struct letter letter = {.command = command};
    sem_init(&letter.answered, 0, 0);
    const char *reason = post(m, &letter);
    if (reason != NULL) {
        letter.step = refuse(command, reason);
    } else {
        while (sem_wait(&letter.answered) != 0 && errno == EINTR)
            ;
    }
    sem_destroy(&letter.answered);
    return letter.step;
}

void mailbox_serve(struct mailbox *m, struct control *control, unsigned budget)
{
    struct letter *batch[MAILBOX_CAPACITY];
    unsigned n = 0;
    if (pthread_mutex_trylock(&m->lock) != 0)
        return; /* in the next turn */
    while (n < budget && n < MAILBOX_CAPACITY && (batch[n] = take(m)) != NULL)
        n++;
    pthread_mutex_unlock(&m->lock);
    for (unsigned i = 0; i < n; i++) {
        struct command *command = batch[i]->command;
        answer(batch[i], command->row->run(control, command));
    }
}

void mailbox_close(struct mailbox *m)
{
    struct letter *letter;
    pthread_mutex_lock(&m->lock);
    m->closed = true;
    while ((letter = take(m)) != NULL)
        answer(letter, refuse(letter->command, "the appliance is stopping"));
    pthread_mutex_unlock(&m->lock);
}
