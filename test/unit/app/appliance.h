/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A console in front of a control that is nothing but a thread which serves the mailbox, with a few commands
 * of its own:
 *
 *     show rows [COUNT] [json]   so many rows, 3 if not said
 *     wait                       a few turns
 *     refuse                     because
 *     load                       two faults from its prepare, and refused
 *     help, quit
 */
#ifndef APPLIANCE_H
#define APPLIANCE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "console.h"

struct control {
    pthread_t thread;
    atomic_bool stop;
    atomic_ulong slices;        /* run so far */
    atomic_ulong longest_slice; /* bytes */
    atomic_uint finished;       /* calls of load's finish */
    struct mailbox *mailbox;
};

struct appliance {
    struct control control;
    struct console *console;
    struct conf conf;
    char dir[64];
};

/* Listens on a free port of 127.0.0.1 and on DIR/socket. */
void appliance_start(struct appliance *a);
/* Everything but the thread that serves: commands wait for ever. */
void appliance_start_deaf(struct appliance *a);
void appliance_stop(struct appliance *a);

/* A connected socket with a receive timeout of 5 s. */
int appliance_connect(const struct appliance *a);
int appliance_connect_local(const struct appliance *a);

void client_send(int fd, const char *text);
/* Reads until `until` has come (true), or the end, a timeout or a full buffer (false). */
bool client_read_until(int fd, char *buffer, size_t size, const char *until);
/* Sends a line to a fresh session, reads to the next prompt, and hangs up: does the appliance still serve? */
void client_expect_served(const struct appliance *a);

size_t process_descriptors(void);
size_t process_threads(void);

#endif
