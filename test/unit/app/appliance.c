/* SPDX-License-Identifier: BSD-3-Clause */
#include "appliance.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "commands.h"

/* ---- Commands ---- */

static const struct report_column columns[] = {{"row", "ROW", 8, true}, {"text", "TEXT", 0, false}};

static enum command_step note_slice(struct control *c, const struct command *command, enum command_step step)
{
    atomic_fetch_add(&c->slices, 1);
    if (command->out.len > atomic_load(&c->longest_slice))
        atomic_store(&c->longest_slice, command->out.len);
    return step;
}

static enum command_step show_rows(struct control *c, struct command *command)
{
    struct report *out = &command->out;
    uint64_t rows = command->argc > 0 ? strtoul(command->argv[0], NULL, 10) : 3;
    if (!out->begun) {
        report_begin(out);
        report_table(out, "rows", columns, 2);
    }
    for (; command->cursor < rows; command->cursor++) {
        if (report_full(out))
            return note_slice(c, command, COMMAND_MORE);
        report_row(out);
        report_number(out, command->cursor);
        report_string(out, "some text that fills the row a little");
        report_row_end(out);
    }
    report_table_end(out);
    report_end(out);
    return note_slice(c, command, COMMAND_DONE);
}

static enum command_step wait_a_little(struct control *c, struct command *command)
{
    return note_slice(c, command, ++command->cursor < 4 ? COMMAND_WAIT : COMMAND_DONE);
}

static enum command_step refuse(struct control *c, struct command *command)
{
    note_slice(c, command, COMMAND_REFUSED);
    return commands_refuse(command, "because of %s", "a reason");
}

static struct control *finish_counts_here;

static bool load_prepare(struct command *command, const char *conf_path, FILE *errors)
{
    fprintf(errors, "%s:1: first fault\n%s:2: second fault\n", conf_path, conf_path);
    commands_refuse(command, "nothing was changed");
    return false;
}

static void load_finish(struct command *command)
{
    (void)command;
    atomic_fetch_add(&finish_counts_here->finished, 1);
}

const struct command_row commands_table[] = {
    {.words = "show rows", .arguments = "[COUNT]", .help = "rows", .json = true, .run = show_rows},
    {.words = "wait", .arguments = "", .help = "a few turns", .run = wait_a_little},
    {.words = "refuse", .arguments = "", .help = "is refused", .run = refuse},
    {.words = "load",
     .arguments = "",
     .help = "reads a faulty file",
     .prepare = load_prepare,
     .run = refuse,
     .finish = load_finish},
    {.words = "help", .arguments = "", .help = "this list", .place = COMMAND_HELP},
    {.words = "quit", .arguments = "", .help = "leave", .place = COMMAND_QUIT},
};
const size_t commands_table_rows = sizeof(commands_table) / sizeof(commands_table[0]);

/* ---- The appliance ---- */

static void *serve(void *argument)
{
    struct control *c = argument;
    while (!atomic_load(&c->stop)) {
        mailbox_serve(c->mailbox, c, 4);
        usleep(200);
    }
    return NULL;
}

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    return ntohs(at.sin_port);
}

void appliance_start_deaf(struct appliance *a)
{
    static char path[] = "/some/where/pha1.conf";
    memset(a, 0, sizeof(*a));
    strcpy(a->dir, "/tmp/homeport-console-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(a->dir));
    a->control.mailbox = mailbox_create();
    finish_counts_here = &a->control;
    strcpy(a->conf.node, "pha1");
    a->conf.path = path;
    a->conf.console_address = addr_from_ipv4(INADDR_LOOPBACK);
    a->conf.console_port = free_port();
    snprintf(a->conf.console_socket, sizeof(a->conf.console_socket), "%s/socket", a->dir);
    a->console = console_start(&a->conf, a->control.mailbox);
    ck_assert_ptr_nonnull(a->console);
}

void appliance_start(struct appliance *a)
{
    appliance_start_deaf(a);
    ck_assert_int_eq(pthread_create(&a->control.thread, NULL, serve, &a->control), 0);
}

void appliance_stop(struct appliance *a)
{
    console_stop(a->console);
    atomic_store(&a->control.stop, true);
    if (a->control.thread != 0)
        pthread_join(a->control.thread, NULL);
    mailbox_destroy(a->control.mailbox);
    ck_assert_int_ne(access(a->conf.console_socket, F_OK), 0); /* it goes with the console */
    ck_assert_int_eq(rmdir(a->dir), 0);
}

/* ---- Clients ---- */

static void set_timeout(int fd)
{
    const struct timeval timeout = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

int appliance_connect(const struct appliance *a)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(a->conf.console_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    set_timeout(fd);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

int appliance_connect_local(const struct appliance *a)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, a->conf.console_socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    set_timeout(fd);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

void client_send(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

bool client_read_until(int fd, char *buffer, size_t size, const char *until)
{
    size_t len = 0, wanted = strlen(until);
    buffer[0] = '\0';
    while (len + 1 < size) {
        ssize_t n = recv(fd, buffer + len, size - 1 - len, 0);
        if (n <= 0)
            return false;
        size_t from = len > wanted ? len - wanted : 0;
        len += (size_t)n;
        buffer[len] = '\0';
        if (memmem(buffer + from, len - from, until, wanted) != NULL)
            return true;
    }
    return false;
}

void client_expect_served(const struct appliance *a)
{
    char buffer[4096];
    int fd = appliance_connect(a);
    ck_assert_msg(client_read_until(fd, buffer, sizeof(buffer), "pha1> "), "got '%s'", buffer);
    client_send(fd, "show rows 2\r\n");
    ck_assert_msg(client_read_until(fd, buffer, sizeof(buffer), "pha1> "), "got '%s'", buffer);
    ck_assert_ptr_nonnull(strstr(buffer, "       1  some text"));
    close(fd);
}

static size_t count_entries(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

size_t process_descriptors(void)
{
    return count_entries("/proc/self/fd");
}

size_t process_threads(void)
{
    return count_entries("/proc/self/task");
}
