/* SPDX-License-Identifier: BSD-3-Clause */
/* homeportctl as a script sees it: what it prints where, and its exit status. */
#include "../check_main.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../app/homeportctl/script.h"
#include "appliance.h"
#include "log.h"

enum { ARGUMENTS_MAX = 12 };

static struct appliance a;
static char target[64];

static void setup(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    appliance_start(&a);
    snprintf(target, sizeof(target), "127.0.0.1:%u", a.conf.console_port);
}

static void teardown(void)
{
    appliance_stop(&a);
}

struct result {
    int status;
    size_t out_len;
    char out[1 << 20], err[4096];
};
static struct result result;

static size_t take(FILE *file, char *to, size_t size)
{
    rewind(file);
    size_t n = fread(to, 1, size - 1, file);
    to[n] = '\0';
    fclose(file);
    return n;
}

/* Runs homeportctl with the words of a line. */
static void run(const char *line)
{
    char copy[1024], *argv[ARGUMENTS_MAX], *rest = NULL;
    static char name[] = "homeportctl";
    int argc = 1;
    argv[0] = name;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    argv[argc] = NULL;
    FILE *out = tmpfile(), *err = tmpfile();
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        execv(HOMEPORTCTL, argv);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    result.status = WEXITSTATUS(status);
    result.out_len = take(out, result.out, sizeof(result.out));
    take(err, result.err, sizeof(result.err));
}

static void run_at(const char *where, const char *line)
{
    char whole[1024];
    snprintf(whole, sizeof(whole), "-s %s %s", where, line);
    run(whole);
}

static const struct {
    const char *line;
    int status;
    const char *out, *err;
} commands[] = {
    {"show rows 1", 0, "     ROW  TEXT\n       0  some text that fills the row a little\n", ""},
    {"-j show rows 1", 0,
     "{\"rows\": [\n{\"row\": 0, \"text\": \"some text that fills the row a little\"}]}\n", ""},
    {"show rows 0 json", 0, "{\"rows\": []}\n", ""},
    {"wait", 0, "", ""},
    {"-j wait", 0, "{}\n", ""},
    {"quit", 0, "", ""},
    {"refuse", 1, "", "because of a reason\n"},
    {"-j refuse", 1, "", "because of a reason\n"},
    {"load", 1, "",
     "/some/where/pha1.conf:1: first fault\n/some/where/pha1.conf:2: second fault\nnothing was changed\n"},
    {"rubbish", 1, "", "no such command: rubbish (help lists them)\n"},
    {"show rows 1 2 3", 1, "", "usage: show rows [COUNT] [json]\n"},
};

START_TEST(exit_status_and_streams)
{
    run_at(_i % 2 == 0 ? target : a.conf.console_socket, commands[_i].line);
    ck_assert_msg(result.status == commands[_i].status, "'%s': status %d: %s", commands[_i].line,
                  result.status, result.err);
    ck_assert_str_eq(result.out, commands[_i].out);
    ck_assert_str_eq(result.err, commands[_i].err);
}
END_TEST

START_TEST(a_long_listing_comes_whole)
{
    size_t lines = 0;
    run_at(target, "show rows 10000");
    ck_assert_int_eq(result.status, 0);
    for (size_t i = 0; i < result.out_len; i++)
        lines += result.out[i] == '\n';
    ck_assert_uint_eq(lines, 10001);
}
END_TEST

static const struct {
    const char *line;
    int status;
    const char *err;
} misuse[] = {
    {"", 1, "usage: homeportctl"},
    {"-x show rows", 1, "usage: homeportctl"},
    {"-s 127.0.0.1 show rows", 2, "neither HOST:PORT nor the path"},
    {"-s 127.0.0.1:1 show rows", 2, "refused"},
    {"-s [::1]:1 show rows", 2, "homeportctl: [::1]:1: "},
    {"-s /nowhere/at/all show rows", 2, "No such file"},
};

START_TEST(who_does_not_find_it)
{
    run(misuse[_i].line);
    ck_assert_int_eq(result.status, misuse[_i].status);
    ck_assert_msg(strstr(result.err, misuse[_i].err) != NULL, "got '%s'", result.err);
    ck_assert_str_eq(result.out, "");
}
END_TEST

START_TEST(a_command_too_long_is_not_sent)
{
    char line[SCRIPT_REQUEST_MAX + 10];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    run_at(target, line);
    ck_assert_int_eq(result.status, 1);
    ck_assert_str_ne(result.err, "");
}
END_TEST

START_TEST(it_waits_for_a_free_session)
{
    int fds[CONSOLE_SESSIONS_MAX];
    char buffer[1024];
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        fds[i] = appliance_connect(&a);
        ck_assert(client_read_until(fds[i], buffer, sizeof(buffer), "pha1> "));
    }
    pid_t leaver = fork();
    if (leaver == 0) {
        usleep(500000);
        shutdown(fds[0], SHUT_RDWR); /* of the connection itself, so for the parent, too */
        _exit(0);
    }
    run_at(target, "show rows 1");
    ck_assert_msg(result.status == 0, "status %d: %s", result.status, result.err);
    waitpid(leaver, NULL, 0);
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++)
        close(fds[i]);
}
END_TEST

START_TEST(but_not_for_ever)
{
    int fds[CONSOLE_SESSIONS_MAX];
    char buffer[1024];
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        fds[i] = appliance_connect(&a);
        ck_assert(client_read_until(fds[i], buffer, sizeof(buffer), "pha1> "));
    }
    run_at(target, "show rows 1");
    ck_assert_int_eq(result.status, 2);
    ck_assert_ptr_nonnull(strstr(result.err, "all sessions"));
    for (int i = 0; i < CONSOLE_SESSIONS_MAX; i++)
        close(fds[i]);
}
END_TEST

START_TEST(a_script_that_is_slow_to_speak_is_answered)
{
    char buffer[1024];
    int fd = appliance_connect(&a);
    usleep(300000); /* it has been taken for a terminal meanwhile */
    client_send(fd, "\x02text show rows 1\n");
    ck_assert(client_read_until(fd, buffer, sizeof(buffer), "ok\n"));
    ck_assert_ptr_nonnull(strstr(buffer, "\x02out "));
    close(fd);
}
END_TEST

START_TEST(requests_that_are_none)
{
    static const char *const requests[] = {"\x02\n", "\x02text\n", "\x02text \n", "\x02xml show rows\n"};
    char buffer[1024];
    for (int i = 0; i < ROWS(requests); i++) {
        int fd = appliance_connect(&a);
        client_send(fd, requests[i]);
        ck_assert_msg(client_read_until(fd, buffer, sizeof(buffer), "refused\n"), "%d: '%s'", i, buffer);
        close(fd);
    }
}
END_TEST

/* ---- What is no appliance, or one that dies ---- */

static const struct {
    const char *what, *answer, *out, *err;
} broken[] = {
    {"says nothing", "", "", "no answer"},
    {"says hello", "\x02", "", "no answer"},
    {"dies in a header", "\x02out 5", "", "no answer"},
    {"dies in a chunk", "\x02out 500\nabc", "", "broke off"},
    {"dies between chunks", "\x02out 4\nabc\n", "abc\n", "broke off"},
    {"dies before the last line", "\x02out 4\nabc\nout 4\ndef\n", "abc\ndef\n", "broke off"},
    {"cuts the last line", "\x02out 4\nabc\no", "abc\n", "broke off"},
    {"a telnet server", "\xff\xfb\x01Welcome\r\nlogin: ", "", "no answer"},
    {"a web server", "HTTP/1.1 400 Bad Request\r\n\r\n", "", "no answer"},
    {"another protocol", "\x02hello\n", "", "no Homeport console"},
    {"a length that is none", "\x02out x\n", "", "no Homeport console"},
};

START_TEST(half_an_answer_is_none)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    pid_t server = fork();
    if (server == 0) {
        char request[SCRIPT_REQUEST_MAX];
        int client = accept(fd, NULL, NULL);
        ssize_t n = recv(client, request, sizeof(request), 0);
        n = send(client, broken[_i].answer, strlen(broken[_i].answer), MSG_NOSIGNAL);
        _exit(n < 0);
    }
    close(fd);
    snprintf(target, sizeof(target), "127.0.0.1:%u", ntohs(at.sin_port));
    run_at(target, "show rows");
    waitpid(server, NULL, 0);
    ck_assert_msg(result.status == 2, "%s: status %d", broken[_i].what, result.status);
    ck_assert_msg(strstr(result.err, broken[_i].err) != NULL, "%s: '%s'", broken[_i].what, result.err);
    if (*broken[_i].out != '\0')
        ck_assert_str_eq(result.out, broken[_i].out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ctl");
    TCase *served = tcase_create("served");
    tcase_set_timeout(served, 30);
    tcase_add_checked_fixture(served, setup, teardown);
    tcase_add_loop_test(served, exit_status_and_streams, 0, ROWS(commands));
    tcase_add_test(served, a_long_listing_comes_whole);
    tcase_add_test(served, a_command_too_long_is_not_sent);
    tcase_add_test(served, it_waits_for_a_free_session);
    tcase_add_test(served, but_not_for_ever);
    tcase_add_test(served, a_script_that_is_slow_to_speak_is_answered);
    tcase_add_test(served, requests_that_are_none);
    suite_add_tcase(suite, served);
    TCase *alone = tcase_create("alone");
    tcase_add_loop_test(alone, who_does_not_find_it, 0, ROWS(misuse));
    tcase_add_loop_test(alone, half_an_answer_is_none, 0, ROWS(broken));
    suite_add_tcase(suite, alone);
    return check_main(suite);
}
