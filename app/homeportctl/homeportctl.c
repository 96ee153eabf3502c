/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * homeportctl: one console command from a script. The answer goes to the standard output as it comes, reasons
 * and faults to the standard error output.
 */
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "script.h"

enum { EXIT_REFUSED = 1, EXIT_NO_ANSWER = 2 };
enum { SILENCE_S = 60, BUSY_TRIES = 30, BUSY_PAUSE_US = 100000 };

#define DEFAULT_TARGET "127.0.0.1:2323"

/* What became of one attempt; BUSY: nothing was carried out, and trying again makes sense. */
enum outcome { OUTCOME_OK, OUTCOME_REFUSED, OUTCOME_NO_ANSWER, OUTCOME_BUSY };

/* ---- Reaching the appliance ---- */

static int fail(const char *target, const char *reason)
{
    fprintf(stderr, "homeportctl: %s: %s\n", target, reason);
    return -1;
}

static int connect_local(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(to.sun_path))
        return fail(path, "the path is too long");
    memcpy(to.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    fail(path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* "HOST:PORT" or "[HOST]:PORT", in place. False: neither. */
static bool split_target(char *target, char **host, char **port)
{
    char *colon = strrchr(target, ':');
    if (colon == NULL || colon[1] == '\0')
        return false;
    *colon = '\0';
    *host = target;
    *port = colon + 1;
    size_t len = strlen(target);
    if (target[0] == '[' && len > 2 && target[len - 1] == ']') {
        target[len - 1] = '\0';
        *host = target + 1;
    }
    return **host != '\0';
}

static int connect_any(const struct addrinfo *list)
{
    for (; list != NULL; list = list->ai_next) {
        int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0)
            return fd;
        int reason = errno;
        if (fd >= 0)
            close(fd);
        errno = reason;
    }
    return -1;
}

static int connect_tcp(const char *target)
{
    char copy[256], *host, *port;
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    if (strlen(target) >= sizeof(copy))
        return fail(target, "too long");
    memcpy(copy, target, strlen(target) + 1);
    if (!split_target(copy, &host, &port))
        return fail(target, "neither HOST:PORT nor the path of a socket");
    int ret = getaddrinfo(host, port, &hints, &list);
    if (ret != 0)
        return fail(target, gai_strerror(ret));
    int fd = connect_any(list);
    freeaddrinfo(list);
    return fd >= 0 ? fd : fail(target, strerror(errno));
}

static int connect_to(const char *target)
{
    int fd = strchr(target, '/') != NULL ? connect_local(target) : connect_tcp(target);
    const struct timeval silence = {.tv_sec = SILENCE_S};
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
    return fd;
}

/* ---- The answer ---- */

static bool send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool copy_chunk(FILE *in, size_t n, FILE *to)
{
    char buffer[16384];
    while (n > 0) {
        size_t want = n < sizeof(buffer) ? n : sizeof(buffer);
        if (fread(buffer, 1, want, in) != want)
            return false;
        fwrite(buffer, 1, want, to);
        n -= want;
    }
    return true;
}

/* "out 123\n". False: no such header. */
static bool chunk_header(const char *header, const char *kind, size_t *n)
{
    size_t len = strlen(kind);
    char *end;
    if (strncmp(header, kind, len) != 0 || header[len] != ' ')
        return false;
    *n = strtoul(header + len + 1, &end, 10);
    return end != header + len + 1 && strcmp(end, "\n") == 0;
}

static enum outcome no_answer(const char *target, bool anything)
{
    fail(target, anything ? "the answer broke off" : "no answer");
    return OUTCOME_NO_ANSWER;
}

/* OUTCOME_OK: the answer begins. */
static enum outcome await_hello(FILE *in, const char *target)
{
    for (int skipped = 0; skipped < SCRIPT_GREETING_MAX; skipped++) {
        errno = 0;
        int byte = fgetc(in);
        if (byte == SCRIPT_HELLO)
            return OUTCOME_OK;
        /* Turned away, and the words lost with the connection: the request was not read. */
        if (byte == EOF && errno == ECONNRESET)
            return OUTCOME_BUSY;
        if (byte == EOF)
            return no_answer(target, false);
    }
    fail(target, "this is no Homeport console");
    return OUTCOME_NO_ANSWER;
}

static enum outcome read_answer(FILE *in, const char *target)
{
    char header[SCRIPT_HEADER_MAX];
    size_t n;
    for (bool anything = false;; anything = true) {
        if (fgets(header, sizeof(header), in) == NULL || (feof(in) && strchr(header, '\n') == NULL))
            return no_answer(target, anything);
        if (strcmp(header, SCRIPT_OK "\n") == 0)
            return OUTCOME_OK;
        if (strcmp(header, SCRIPT_REFUSED "\n") == 0)
            return OUTCOME_REFUSED;
        if (!anything && strcmp(header, SCRIPT_BUSY "\n") == 0)
            return OUTCOME_BUSY;
        bool out = chunk_header(header, SCRIPT_OUT, &n);
        if (!out && !chunk_header(header, SCRIPT_ERR, &n)) {
            fail(target, "this is no Homeport console");
            return OUTCOME_NO_ANSWER;
        }
        if (!copy_chunk(in, n, out ? stdout : stderr))
            return no_answer(target, true);
    }
}

static enum outcome ask(const char *target, const char *request)
{
    int fd = connect_to(target);
    if (fd < 0)
        return OUTCOME_NO_ANSWER;
    /* Who is turned away may find that out while sending: the answer tells. */
    send_all(fd, request, strlen(request));
    FILE *in = fdopen(fd, "r");
    if (in == NULL) {
        close(fd);
        return no_answer(target, false);
    }
    enum outcome outcome = await_hello(in, target);
    if (outcome == OUTCOME_OK)
        outcome = read_answer(in, target);
    fclose(in);
    return outcome;
}

static enum outcome ask_until_free(const char *target, const char *request)
{
    for (int tries = 0; tries < BUSY_TRIES; tries++) {
        enum outcome outcome = ask(target, request);
        if (outcome != OUTCOME_BUSY)
            return outcome;
        usleep(BUSY_PAUSE_US);
    }
    fail(target, "all sessions of the console are taken");
    return OUTCOME_NO_ANSWER;
}

/* ---- The command line ---- */

static bool append(char request[SCRIPT_REQUEST_MAX], const char *text)
{
    size_t have = strlen(request), n = strlen(text);
    if (have + n >= SCRIPT_REQUEST_MAX || strchr(text, '\n') != NULL)
        return false;
    memcpy(request + have, text, n + 1);
    return true;
}

/* False: it does not fit into one line. */
static bool make_request(char request[SCRIPT_REQUEST_MAX], bool json, int argc, char **argv)
{
    request[0] = SCRIPT_HELLO;
    request[1] = '\0';
    bool fits = append(request, json ? SCRIPT_JSON : SCRIPT_TEXT);
    for (int i = 0; i < argc && fits; i++)
        fits = (i == 0 || append(request, " ")) && append(request, argv[i]);
    size_t len = strlen(request);
    if (!fits || len + 1 >= SCRIPT_REQUEST_MAX)
        return false;
    memcpy(request + len, "\n", 2);
    return true;
}

static int usage(FILE *to)
{
    fputs("usage: homeportctl [-s HOST:PORT | -s SOCKET] [-j] COMMAND...\n"
          "  -s  where the appliance's console listens (" DEFAULT_TARGET ")\n"
          "  -j  answer as one JSON object\n"
          "  -V  print the version and exit\n"
          "Exit status: 0 done; 1 refused, the reason is on the standard error output; 2 no appliance "
          "answered.\n",
          to);
    return to == stdout ? EXIT_SUCCESS : EXIT_REFUSED;
}

int main(int argc, char **argv)
{
    const char *target = DEFAULT_TARGET;
    bool json = false;
    int option;
    while ((option = getopt(argc, argv, "+s:jVh")) != -1) {
        switch (option) {
        case 's':
            target = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'V':
            puts("homeportctl " HOMEPORT_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            return usage(stdout);
        default:
            return usage(stderr);
        }
    }
    if (optind == argc)
        return usage(stderr);
    char request[SCRIPT_REQUEST_MAX];
    if (!make_request(request, json, argc - optind, argv + optind)) {
        fail(target, "the command is too long");
        return EXIT_REFUSED;
    }
    enum outcome outcome = ask_until_free(target, request);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fail("standard output", strerror(errno));
        return EXIT_REFUSED;
    }
    return outcome == OUTCOME_OK ? EXIT_SUCCESS : outcome == OUTCOME_REFUSED ? EXIT_REFUSED : EXIT_NO_ANSWER;
}
