/* SPDX-License-Identifier: BSD-3-Clause */
#include "console.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../homeportctl/script.h"
#include "log.h"
#include "session.h"

enum { BACKLOG = 32, THREAD_STACK = 512 * 1024, PAUSE_MS = 100 };

/* Taken and given back by the listener's thread alone. */
struct seat {
    struct console *console;
    pthread_t thread;
    int fd; /* closed by the listener, so that nobody shuts down another's descriptor; -1: the seat is free */
    atomic_bool over; /* set by the session's thread as the last that it does */
};

struct console {
    struct session_settings settings;
    char socket_path[CONF_DEVICE_MAX];
    int tcp, local; /* listening; -1: none */
    int wake;       /* an eventfd: a session is over, or all is */
    atomic_bool stopping;
    bool listening; /* the listener's thread was started */
    pthread_t listener;
    struct seat seats[CONSOLE_SESSIONS_MAX];
};

/* ---- Listening ---- */

static int fail(const char *what, const char *where)
{
    log_error("console: %s %s: %s", what, where, strerror(errno));
    return -1;
}

static socklen_t tcp_address(const struct addr *address, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (addr_is_ipv4(address)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        v4->sin_addr.s_addr = htonl(addr_ipv4(address));
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, address->b, sizeof(address->b));
    return sizeof(*v6);
}

static int listen_tcp(const struct addr *address, uint16_t port)
{
    char text[ADDR_TEXT_MAX], where[ADDR_TEXT_MAX + 8];
    struct sockaddr_storage to;
    socklen_t len = tcp_address(address, port, &to);
    snprintf(where, sizeof(where), "%s port %u", addr_format(address, text), port);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail("socket for", where);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&to, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    fail("cannot listen on", where);
    close(fd);
    return -1;
}

/* A socket that a killed process left behind refuses connections; a living one's is not taken away. */
static bool remove_stale(const struct sockaddr_un *to)
{
    struct stat st;
    if (lstat(to->sun_path, &st) != 0)
        return true;
    errno = EEXIST;
    if (!S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool dead = connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 && errno == ECONNREFUSED;
    close(fd);
    errno = EADDRINUSE;
    return dead && unlink(to->sun_path) == 0;
}

static int listen_local(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    errno = ENAMETOOLONG;
    if (strlen(path) >= sizeof(to.sun_path))
        return fail("cannot listen on", path);
    memcpy(to.sun_path, path, strlen(path) + 1);
    if (!remove_stale(&to))
        return fail("cannot listen on", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail("socket for", path);
    /* Nobody can connect before listen, so the mode is right from the first moment that counts. */
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
        if (chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
        fail("cannot listen on", path);
        unlink(path);
    } else {
        fail("cannot listen on", path);
    }
    close(fd);
    return -1;
}

/* ---- Sessions ---- */

static void wake(struct console *console)
{
    ssize_t n = write(console->wake, &(uint64_t){1}, sizeof(uint64_t));
    (void)n; /* it can only fail when it is awake already */
}

static void *serve(void *argument)
{
    struct seat *seat = argument;
    session_serve(&seat->console->settings, seat->fd);
    shutdown(seat->fd, SHUT_RDWR);
    atomic_store(&seat->over, true);
    wake(seat->console);
    return NULL;
}

static int start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    /* Signals are for the thread that waits for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int ret = pthread_create(thread, &attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return ret;
}

static void leave(struct seat *seat)
{
    pthread_join(seat->thread, NULL);
    close(seat->fd);
    seat->fd = -1;
}

static void clear_seats(struct console *console)
{
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        struct seat *seat = &console->seats[i];
        if (seat->fd >= 0 && atomic_load(&seat->over))
            leave(seat);
    }
}

static struct seat *free_seat(struct console *console)
{
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        if (console->seats[i].fd < 0)
            return &console->seats[i];
    }
    return NULL;
}

static void turn_away(int fd)
{
    static const char hello = SCRIPT_HELLO;
    static const char busy[] = SCRIPT_BUSY "\nAll sessions of the console are taken; try again later.\r\n";
    char unread[512];
    send(fd, &hello, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    /* What is closed with input unread is reset, and the words above lost with it. */
    while (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) > 0)
        ;
    close(fd);
}

static void take_seat(struct console *console, int fd)
{
    struct seat *seat = free_seat(console);
    if (seat == NULL) {
        turn_away(fd);
        return;
    }
    seat->console = console;
    seat->fd = fd;
    atomic_store(&seat->over, false);
    int ret = start_thread(&seat->thread, serve, seat);
    if (ret != 0) {
        log_error("console: no thread for a session: %s", strerror(ret));
        close(fd);
        seat->fd = -1;
    }
}

/* ---- The listener ---- */

static void accept_one(struct console *console, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        take_seat(console, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        poll(NULL, 0, PAUSE_MS); /* the connection stays, so poll would come back at once */
}

static void *listen_for_all(void *argument)
{
    struct console *console = argument;
    struct pollfd polled[] = {{.fd = console->wake, .events = POLLIN},
                              {.fd = console->tcp, .events = POLLIN},
                              {.fd = console->local, .events = POLLIN}};
    while (!atomic_load(&console->stopping)) {
        uint64_t wakes;
        poll(polled, 3, -1);
        if (polled[0].revents != 0 && read(console->wake, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN)
            log_error("console: %s", strerror(errno));
        clear_seats(console);
        for (int i = 1; i < 3; i++) {
            if (polled[i].revents != 0)
                accept_one(console, polled[i].fd);
        }
    }
    return NULL;
}

static void close_listener(struct console *console)
{
    if (console->tcp >= 0)
        close(console->tcp);
    if (console->local >= 0) {
        close(console->local);
        unlink(console->socket_path);
    }
}

static int open_listeners(struct console *console, const struct conf *conf)
{
    if (conf->console_port != 0) {
        console->tcp = listen_tcp(&conf->console_address, conf->console_port);
        if (console->tcp < 0)
            return -1;
    }
    if (conf->console_socket[0] != '\0') {
        memcpy(console->socket_path, conf->console_socket, sizeof(console->socket_path));
        console->local = listen_local(console->socket_path);
        if (console->local < 0)
            return -1;
    }
    return 0;
}

static int start(struct console *console, const struct conf *conf)
{
    console->settings.node = strdup(conf->node);
    console->settings.conf_path = strdup(conf->path);
    console->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (console->settings.node == NULL || console->settings.conf_path == NULL || console->wake < 0)
        return fail("cannot start", "");
    if (open_listeners(console, conf) != 0)
        return -1;
    errno = start_thread(&console->listener, listen_for_all, console);
    if (errno != 0)
        return fail("cannot start", "a thread");
    console->listening = true;
    return 0;
}

struct console *console_start(const struct conf *conf, struct mailbox *mailbox)
{
    struct console *console = calloc(1, sizeof(*console));
    if (console == NULL)
        return NULL;
    console->settings.mailbox = mailbox;
    console->tcp = console->local = console->wake = -1;
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++)
        console->seats[i].fd = -1;
    if (start(console, conf) == 0)
        return console;
    console_stop(console);
    return NULL;
}

void console_stop(struct console *console)
{
    if (console == NULL)
        return;
    mailbox_close(console->settings.mailbox); /* who waits for control goes on */
    atomic_store(&console->stopping, true);
    if (console->listening) {
        wake(console);
        pthread_join(console->listener, NULL);
    }
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        if (console->seats[i].fd < 0)
            continue;
        shutdown(console->seats[i].fd, SHUT_RDWR);
        leave(&console->seats[i]);
    }
    close_listener(console);
    if (console->wake >= 0)
        close(console->wake);
    free(console->settings.node);
    free(console->settings.conf_path);
    free(console);
}
