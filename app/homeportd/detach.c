/* SPDX-License-Identifier: BSD-3-Clause */
#include "detach.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The parent's part: one byte says that all is well; the end of the pipe without it, that the child is gone.
 */
static void wait_for_child(int descriptor)
{
    char byte;
    _exit(read(descriptor, &byte, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR);
    setsid();
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

int detach_begin(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t child = fork();
    if (child > 0) {
        close(ends[1]);
        wait_for_child(ends[0]);
    }
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return -1;
    }
    leave_terminal();
    return ends[1];
}

void detach_ready(int descriptor)
{
    if (descriptor < 0)
        return;
    ssize_t n = write(descriptor, "", 1);
    (void)n; /* who waited is gone: nobody else wants to know */
    close(descriptor);
}
