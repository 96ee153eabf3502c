/* SPDX-License-Identifier: BSD-3-Clause */
/* Operators who behave, and those who do not: nobody of the latter may harm the others, or control. */
#include "../check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../../app/homeportctl/script.h"
#include "appliance.h"
#include "log.h"

static struct appliance a;
static size_t descriptors_before, threads_before;

static void *do_nothing(void *argument)
{
    return argument;
}

/* A sanitizer starts a thread of its own together with the first of ours: let that be over. */
static void start_first_thread(void)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
    usleep(20000); /* it may be listed for a moment more */
}

/* Those that have been joined may be listed for a moment more. */
static void expect_threads(size_t n)
{
    for (int tries = 0; tries < 1000 && process_threads() != n; tries++)
        usleep(1000);
    ck_assert_uint_eq(process_threads(), n);
}

static void setup(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    start_first_thread();
    descriptors_before = process_descriptors();
    threads_before = process_threads();
    appliance_start(&a);
}

static void teardown(void)
{
    appliance_stop(&a);
    expect_threads(threads_before);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A session whose greeting has been read. The seat of one that its client has just closed is free when the
 * session's thread has noticed. */
static int open_session(void)
{
    char buffer[1024];
    for (int tries = 0; tries < 100; tries++) {
        int fd = appliance_connect(&a);
        if (client_read_until(fd, buffer, sizeof(buffer), "pha1> "))
            return fd;
        close(fd);
        usleep(20000);
    }
    ck_abort_msg("got '%s'", buffer);
    return -1;
}

/* What a telnet client says that accepts echo and has a window of so many rows. */
static void become_terminal(int fd, char rows)
{
    const char bytes[] = {'\xff', '\xfd', 1,  '\xff', '\xfb', 31,     '\xff', '\xfa',
                          31,     0,      80, 0,      rows,   '\xff', '\xf0'};
    ck_assert_int_eq(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
}

static bool ends(int fd)
{
    char byte;
    ssize_t n;
    while ((n = recv(fd, &byte, 1, 0)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

/* ---- Who behaves ---- */

static const struct {
    const char *line, *answer;
} dialogues[] = {
    {"show rows", "     ROW  TEXT\r\n       0  some"},
    {"sh r 1", "       0  some"},
    {"show rows 1 json", "{\"rows\": [\r\n{\"row\": 0, "},
    {"wait", "pha1> "},
    {"refuse", "refused: because of a reason\r\n"},
    {"load", "/some/where/pha1.conf:1: first fault\r\n/some/where/pha1.conf:2: second fault\r\n"
             "refused: nothing was changed\r\n"},
    {"rubbish", "refused: no such command: rubbish"},
    {"help", "show rows [COUNT] [json]"},
    {"", "pha1> "},
    {"show ?", "rows             rows\r\n"},
};

START_TEST(a_line_gets_its_answer)
{
    char buffer[4096];
    int fd = _i % 2 == 0 ? open_session() : appliance_connect_local(&a);
    if (_i % 2 != 0)
        ck_assert(client_read_until(fd, buffer, sizeof(buffer), "pha1> "));
    client_send(fd, dialogues[_i].line);
    client_send(fd, "\r\n");
    ck_assert_msg(client_read_until(fd, buffer, sizeof(buffer), "pha1> "), "%s", buffer);
    ck_assert_msg(strstr(buffer, dialogues[_i].answer) != NULL, "'%s': got '%s'", dialogues[_i].line, buffer);
    close(fd);
}
END_TEST

START_TEST(a_terminal_gets_echo_and_completion)
{
    char buffer[4096];
    int fd = open_session();
    become_terminal(fd, 24);
    client_send(fd, "sh\tr\t1\r");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "pha1> "));
    ck_assert_msg(strncmp(buffer, "show rows 1\r\n", 13) == 0, "got '%s'", buffer);
    client_send(fd, "show rows \t");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "json "));
    client_send(fd, "\x15\x1b[A"); /* the line before */
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "show rows 1"));
    client_send(fd, "\x03\tq\t\r");
    ck_assert(ends(fd));
    close(fd);
}
END_TEST

START_TEST(a_terminal_gets_pages)
{
    char buffer[8192];
    int fd = open_session();
    become_terminal(fd, 10);
    client_send(fd, "show rows 100\r");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "--More--"));
    ck_assert_ptr_nonnull(strstr(buffer, "       7  some"));
    ck_assert_ptr_null(strstr(buffer, "       8  some"));
    client_send(fd, "\r");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "--More--"));
    ck_assert_ptr_nonnull(strstr(buffer, "       8  some"));
    ck_assert_ptr_null(strstr(buffer, "       9  some"));
    client_send(fd, " ");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "--More--"));
    ck_assert_ptr_nonnull(strstr(buffer, "      17  some"));
    ck_assert_ptr_null(strstr(buffer, "      18  some"));
    client_send(fd, "q");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "pha1> "));
    ck_assert_ptr_null(strstr(buffer, "      18  some"));
    client_send(fd, "show rows 1\r");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "pha1> "));
    close(fd);
}
END_TEST

START_TEST(who_is_no_terminal_gets_it_all)
{
    static char buffer[1 << 20];
    int fd = open_session();
    client_send(fd, "show rows 5000\n");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "pha1> "));
    ck_assert_ptr_nonnull(strstr(buffer, "    4999  some"));
    ck_assert_ptr_null(strstr(buffer, "More"));
    ck_assert_uint_le(atomic_load(&a.control.longest_slice), REPORT_SLICE + REPORT_SLACK);
    ck_assert_uint_gt(atomic_load(&a.control.slices), 5000 * 40 / REPORT_SLICE);
    close(fd);
}
END_TEST

START_TEST(quitting_ends_the_session)
{
    static const char *const goodbyes[] = {"quit\r\n", "\x04"};
    for (int i = 0; i < 2; i++) {
        int fd = open_session();
        client_send(fd, goodbyes[i]);
        ck_assert(ends(fd));
        close(fd);
    }
}
END_TEST

START_TEST(half_closed_input_is_answered_first)
{
    char buffer[4096];
    int fd = appliance_connect(&a);
    client_send(fd, "show rows 1\nwait\nshow rows 2\n");
    shutdown(fd, SHUT_WR);
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "       1  some"));
    ck_assert(ends(fd));
    close(fd);
}
END_TEST

START_TEST(finish_is_called_even_if_prepare_failed)
{
    char buffer[4096];
    int fd = open_session();
    client_send(fd, "load\r\nload\r\n");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "pha1> "));
    for (int tries = 0; tries < 1000 && atomic_load(&a.control.finished) < 2; tries++)
        usleep(1000);
    ck_assert_uint_eq(atomic_load(&a.control.finished), 2);
    close(fd);
}
END_TEST

/* ---- Who does not ---- */

/* All seats can be taken again, so no session is left. */
static void expect_every_seat_free(void)
{
    int fds[CONSOLE_SESSIONS_MAX];
    char buffer[1024];
    for (int tries = 0; tries < 100; tries++) {
        int n = 0;
        bool all = true;
        for (; n < CONSOLE_SESSIONS_MAX && all; n++) {
            fds[n] = appliance_connect(&a);
            all = client_read_until(fds[n], buffer, sizeof(buffer), "pha1> ");
        }
        while (n > 0)
            close(fds[--n]);
        if (all)
            return;
        usleep(20000);
    }
    ck_abort_msg("a session is left over");
}

START_TEST(a_hundred_connections)
{
    enum { N = 100 };
    int fds[N], served = 0, turned_away = 0;
    char buffer[1024];
    for (int i = 0; i < N; i++)
        fds[i] = appliance_connect(&a);
    for (int i = 0; i < N; i++) {
        if (client_read_until(fds[i], buffer, sizeof(buffer), "pha1> "))
            served++;
        else
            turned_away += strstr(buffer, "busy\nAll sessions of the console are taken") != NULL;
    }
    ck_assert_int_eq(served, CONSOLE_SESSIONS_MAX);
    ck_assert_int_eq(turned_away, N - CONSOLE_SESSIONS_MAX);
    for (int i = 0; i < N; i++)
        close(fds[i]);
    expect_every_seat_free();
}
END_TEST

/* Writes as much as is taken, for a while. */
static size_t flood(int fd, const char *bytes, size_t n, double seconds)
{
    size_t sent = 0;
    for (double end = now_s() + seconds; now_s() < end;) {
        ssize_t ret = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (ret > 0)
            sent += (size_t)ret;
        else
            usleep(1000);
    }
    return sent;
}

START_TEST(a_flood_of_commands_whose_answers_nobody_reads)
{
    char lines[4096];
    size_t len = 0;
    while (len + 16 < sizeof(lines))
        len += (size_t)sprintf(lines + len, "show rows 9\r\n");
    int fd = open_session();
    become_terminal(fd, 24);
    ck_assert_uint_gt(flood(fd, lines, len, 1), 10000);
    double before = now_s();
    client_expect_served(&a);
    ck_assert_double_lt(now_s() - before, 2);
    close(fd);
    expect_every_seat_free();
}
END_TEST

START_TEST(noise)
{
    enum { N = 30000 };
    static char bytes[N], buffer[1 << 20];
    unsigned seed = 4711U + (unsigned)_i;
    for (int i = 0; i < N; i++) {
        bytes[i] = (char)rand_r(&seed);
        if (bytes[i] == 0x04)
            bytes[i] = '\xff';
    }
    int fd = open_session();
    if (_i == 0)
        become_terminal(fd, 24);
    /* Read what comes, so that all of the noise gets in. */
    for (size_t sent = 0; sent < N;) {
        ssize_t n = send(fd, bytes + sent, N - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else
            ck_assert_int_eq(errno, EAGAIN);
        while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
            ;
    }
    /* End whatever has been begun there: a subnegotiation, an escape, a page, a line. */
    client_send(fd, "\xff\xf0\xff\xf0~q\x03\r\nshow rows 1\r\n");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "       0  some"));
    close(fd);
    client_expect_served(&a);
    expect_every_seat_free();
}
END_TEST

START_TEST(a_line_without_an_end)
{
    char buffer[8192], part[1000];
    memset(part, 'x', sizeof(part) - 1);
    part[sizeof(part) - 1] = '\0';
    int fd = open_session();
    for (int i = 0; i < 200; i++)
        client_send(fd, part);
    client_send(fd, "\r\n");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "refused: the line is too long\r\n"));
    client_send(fd, "show rows 2\r\n");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "       1  some"));
    close(fd);
}
END_TEST

START_TEST(a_script_that_never_ends_its_line)
{
    char part[SCRIPT_REQUEST_MAX + 100];
    memset(part, 'x', sizeof(part) - 1);
    part[sizeof(part) - 1] = '\0';
    part[0] = SCRIPT_HELLO;
    int fd = appliance_connect(&a);
    client_send(fd, part);
    ck_assert(ends(fd));
    close(fd);
    expect_every_seat_free();
}
END_TEST

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

START_TEST(connections_that_break_off_in_a_listing)
{
    char buffer[2000];
    client_expect_served(&a);
    expect_every_seat_free();
    for (int i = 0; i < 24; i++) {
        int fd = open_session();
        client_send(fd, "show rows 1000000\r\n");
        client_read_until(fd, buffer, sizeof(buffer), "never");
        if (i % 2 == 0)
            reset(fd);
        else
            close(fd);
        if (i % CONSOLE_SESSIONS_MAX == CONSOLE_SESSIONS_MAX - 1)
            expect_every_seat_free();
    }
    usleep(200000);
    unsigned long slices = atomic_load(&a.control.slices);
    usleep(200000);
    ck_assert_uint_eq(atomic_load(&a.control.slices), slices); /* none goes on for nobody */
    client_expect_served(&a);
    expect_every_seat_free();
}
END_TEST

START_TEST(a_reader_that_never_reads)
{
    int fd = open_session();
    client_send(fd, "show rows 1000000\r\n");
    sleep(1);
    unsigned long slices = atomic_load(&a.control.slices);
    usleep(500000);
    /* Control has written what the sockets hold, and not one slice more; the others do not notice. */
    ck_assert_uint_eq(atomic_load(&a.control.slices), slices);
    ck_assert_uint_lt(slices, 1000);
    ck_assert_uint_le(atomic_load(&a.control.longest_slice), REPORT_SLICE + REPORT_SLACK);
    double before = now_s();
    client_expect_served(&a);
    ck_assert_double_lt(now_s() - before, 1);
    /* In the end its seat is given to somebody else. */
    sleep(10);
    expect_every_seat_free();
    ck_assert_uint_lt(atomic_load(&a.control.slices), slices + 10);
    close(fd);
}
END_TEST

START_TEST(a_million_rows_for_who_reads)
{
    static char buffer[1 << 16];
    size_t lines = 0;
    ssize_t n;
    int fd = open_session();
    client_send(fd, "show rows 1000000\nquit\n");
    while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            lines += buffer[i] == '\n';
    }
    ck_assert_uint_eq(lines, 1000001);
    ck_assert_uint_le(atomic_load(&a.control.longest_slice), REPORT_SLICE + REPORT_SLACK);
    close(fd);
}
END_TEST

START_TEST(descriptors_are_given_back)
{
    size_t before = process_descriptors();
    for (int i = 0; i < 50; i++)
        client_expect_served(&a);
    expect_every_seat_free();
    for (int tries = 0; tries < 1000 && process_descriptors() > before; tries++)
        usleep(1000);
    ck_assert_uint_eq(process_descriptors(), before);
    expect_threads(threads_before + 2); /* control and the listener */
}
END_TEST

/* ---- Start and stop ---- */

START_TEST(stopping_waits_for_nobody)
{
    struct appliance deaf;
    int fds[CONSOLE_SESSIONS_MAX];
    char buffer[1024];
    size_t threads = process_threads();
    appliance_start_deaf(&deaf);
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        fds[i] = appliance_connect(&deaf);
        ck_assert(client_read_until(fds[i], buffer, sizeof(buffer), "pha1> "));
        if (i % 2 == 0) /* the others are idle */
            client_send(fds[i], "show rows 1000000\r\n");
    }
    usleep(100000);
    double before = now_s();
    appliance_stop(&deaf);
    ck_assert_double_lt(now_s() - before, 1);
    expect_threads(threads);
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        ck_assert(ends(fds[i]));
        close(fds[i]);
    }
}
END_TEST

START_TEST(stopping_amid_listings)
{
    int fds[CONSOLE_SESSIONS_MAX];
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        fds[i] = open_session();
        if (i % 2 == 0)
            become_terminal(fds[i], 10); /* waits for a key */
        client_send(fds[i], "show rows 1000000\r\n");
    }
    usleep(100000);
    double before = now_s();
    appliance_stop(&a);
    ck_assert_double_lt(now_s() - before, 1);
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++)
        close(fds[i]);
    expect_threads(threads_before);
    ck_assert_uint_eq(process_descriptors(), descriptors_before);
}
END_TEST

START_TEST(the_local_socket_is_the_owners_alone)
{
    struct stat st;
    ck_assert_int_eq(stat(a.conf.console_socket, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(an_address_in_use_is_refused)
{
    log_set_level(LOG_LEVEL_ERROR);
    struct conf second = a.conf;
    second.console_socket[0] = '\0';
    ck_assert_ptr_null(console_start(&second, a.control.mailbox));
}
END_TEST

START_TEST(a_living_socket_is_not_taken_away)
{
    struct conf second = a.conf;
    second.console_port = 0;
    struct mailbox *m = mailbox_create();
    ck_assert_ptr_null(console_start(&second, m));
    mailbox_destroy(m);
    close(appliance_connect_local(&a));
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
    struct conf second = a.conf;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    second.console_port = 0;
    snprintf(second.console_socket, sizeof(second.console_socket), "%s/stale", a.dir);
    strcpy(to.sun_path, second.console_socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    close(fd); /* as a killed process leaves it */
    struct mailbox *m = mailbox_create();
    struct console *console = console_start(&second, m);
    ck_assert_ptr_nonnull(console);
    console_stop(console);
    mailbox_destroy(m);
    ck_assert_int_ne(access(second.console_socket, F_OK), 0);
}
END_TEST

START_TEST(a_file_is_never_removed)
{
    struct conf second = a.conf;
    second.console_port = 0;
    snprintf(second.console_socket, sizeof(second.console_socket), "%s/file", a.dir);
    int fd = open(second.console_socket, O_CREAT | O_WRONLY, 0600);
    close(fd);
    struct mailbox *m = mailbox_create();
    ck_assert_ptr_null(console_start(&second, m));
    mailbox_destroy(m);
    ck_assert_int_eq(unlink(second.console_socket), 0);
}
END_TEST

static void setup_alone(void)
{
    start_first_thread();
    log_set_level(LOG_LEVEL_ERROR);
}

int main(void)
{
    Suite *suite = suite_create("console");
    TCase *cases = tcase_create("sessions");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, a_line_gets_its_answer, 0, ROWS(dialogues));
    tcase_add_test(cases, a_terminal_gets_echo_and_completion);
    tcase_add_test(cases, a_terminal_gets_pages);
    tcase_add_test(cases, who_is_no_terminal_gets_it_all);
    tcase_add_test(cases, quitting_ends_the_session);
    tcase_add_test(cases, half_closed_input_is_answered_first);
    tcase_add_test(cases, finish_is_called_even_if_prepare_failed);
    tcase_add_test(cases, a_hundred_connections);
    tcase_add_test(cases, a_flood_of_commands_whose_answers_nobody_reads);
    tcase_add_loop_test(cases, noise, 0, 2);
    tcase_add_test(cases, a_line_without_an_end);
    tcase_add_test(cases, a_script_that_never_ends_its_line);
    tcase_add_test(cases, connections_that_break_off_in_a_listing);
    tcase_add_test(cases, a_reader_that_never_reads);
    tcase_add_test(cases, a_million_rows_for_who_reads);
    tcase_add_test(cases, descriptors_are_given_back);
    tcase_add_test(cases, the_local_socket_is_the_owners_alone);
    tcase_add_test(cases, a_living_socket_is_not_taken_away);
    tcase_add_test(cases, a_stale_socket_is_replaced);
    tcase_add_test(cases, a_file_is_never_removed);
    suite_add_tcase(suite, cases);
    TCase *alone = tcase_create("start and stop");
    tcase_set_timeout(alone, 30);
    tcase_add_checked_fixture(alone, setup_alone, NULL);
    tcase_add_test(alone, stopping_waits_for_nobody);
    suite_add_tcase(suite, alone);
    TCase *amid = tcase_create("stop amid");
    tcase_add_checked_fixture(amid, setup, NULL);
    tcase_add_test(amid, stopping_amid_listings);
    suite_add_tcase(suite, amid);
    TCase *in_use = tcase_create("in use");
    tcase_add_checked_fixture(in_use, setup, teardown);
    tcase_add_test(in_use, an_address_in_use_is_refused);
    suite_add_tcase(suite, in_use);
    return check_main(suite);
}
