/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into the background, once the start has succeeded: the process that was called waits until the appliance
 * serves, or has failed, and ends with the status that says so. Main thread, before any other thread is made.
 */
#ifndef HOMEPORTD_DETACH_H
#define HOMEPORTD_DETACH_H

/* Returns in the child alone, without a terminal: a descriptor for detach_ready. -1: it cannot be done
 * (errno). */
int detach_begin(void);
/* It serves: the caller of the program may go on. -1 is allowed: nobody waits. If it is never called, the
 * caller gets EXIT_FAILURE when this process ends. */
void detach_ready(int descriptor);

#endif
