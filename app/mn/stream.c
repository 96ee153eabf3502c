/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * homeport-stream: sends UDP datagrams numbered from 0 at a constant rate. Each begins with its number, 64
 * bits in network order, so that the receiver can tell what was lost, doubled, or out of order. To several
 * home addresses it sends in turn, or to the first ones more often; each has numbers of its own.
 */
#include "addr.h"
#include "bytes.h"
#include "instant.h"
#include "random.h"
#include "successor.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER_BYTES = 8, PAYLOAD_MAX = 65507, BATCH = 64, TARGETS_MAX = 1 << 20, EXIT_USAGE = 2 };

struct plan {
    struct addr to; /* the first */
    uint32_t targets;
    bool zipf;        /* the k-th of them gets a share of 1/k */
    struct addr from; /* unspecified: the kernel chooses */
    uint32_t port;
    uint32_t rate;
    uint32_t size;
    uint64_t count; /* 0: until stopped */
    bool dont_fragment;
    bool json;
};

struct result {
    uint64_t sent;
    uint64_t failed;
    int last_errno;
    uint64_t took_ns;
};

static const char help[] =
    "usage: homeport-stream --to ADDRESS [OPTION...]\n"
    "\n"
    "Sends UDP datagrams numbered from 0 at a constant rate; homeport-mn counts what arrives.\n"
    "\n"
    "  --to ADDRESS[+COUNT]  the home address of a mobile node, or of COUNT from it on, in turn\n"
    "  --zipf          of those the k-th gets a share of 1/k, at random\n"
    "  --from ADDRESS  source address\n"
    "  --port N        destination port (9)\n"
    "  --rate N        datagrams/s (100)\n"
    "  --count N       so many; 0: until SIGINT or SIGTERM (0)\n"
    "  --size N        bytes of UDP payload, 8 to 65507 (64)\n"
    "  --df            set don't fragment\n"
    "  --json          report as JSON\n"
    "Exit status: 0 all was sent, 1 not, 2 usage.\n";

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0 || value < min || value > max)
        return false;
    *out = value;
    return true;
}

static bool parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t value;
    if (!parse_number(text, min, max, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool parse_address(const char *text, struct addr *out)
{
    return addr_parse(text, out) && !addr_is_unspecified(out);
}

/* ADDRESS or ADDRESS+COUNT. */
static bool parse_targets(char *text, struct plan *p)
{
    struct addr last;
    char *plus = strchr(text, '+');
    if (plus == NULL)
        return parse_address(text, &p->to);
    *plus = '\0';
    return parse_address(text, &p->to) && parse_u32(plus + 1, 1, TARGETS_MAX, &p->targets) &&
           addr_successor(&p->to, p->targets - 1, &last);
}

static bool take(struct plan *p, int option, char *text)
{
    switch (option) {
    case 't':
        return parse_targets(text, p);
    case 'z':
        return p->zipf = true;
    case 'f':
        return parse_address(text, &p->from);
    case 'p':
        return parse_u32(text, 1, 65535, &p->port);
    case 'r':
        return parse_u32(text, 1, 10000000, &p->rate);
    case 's':
        return parse_u32(text, NUMBER_BYTES, PAYLOAD_MAX, &p->size);
    case 'c':
        return parse_number(text, 0, UINT64_MAX - 1, &p->count);
    case 'd':
        return p->dont_fragment = true;
    case 'j':
        return p->json = true;
    default:
        return false;
    }
}

static const struct option names[] = {
    {"to", required_argument, NULL, 't'},
    {"from", required_argument, NULL, 'f'},
    {"port", required_argument, NULL, 'p'},
    {"rate", required_argument, NULL, 'r'},
    {"count", required_argument, NULL, 'c'},
    {"size", required_argument, NULL, 's'},
    {"zipf", no_argument, NULL, 'z'},
    {"df", no_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Exits on --help and on errors. */
static void parse_options(int argc, char **argv, struct plan *p)
{
    *p = (struct plan){
        .to = addr_unspecified, .targets = 1, .from = addr_unspecified, .port = 9, .rate = 100, .size = 64};
    int which = 0;
    for (int c; (c = getopt_long(argc, argv, "", names, &which)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            exit(EXIT_SUCCESS);
        }
        if (take(p, c, optarg))
            continue;
        if (c != '?')
            fprintf(stderr, "homeport-stream: --%s: wrong value %s\n", names[which].name, optarg);
        exit(EXIT_USAGE);
    }
    const bool mixed = !addr_is_unspecified(&p->from) && addr_is_ipv4(&p->from) != addr_is_ipv4(&p->to);
    if (optind < argc || addr_is_unspecified(&p->to) || mixed) {
        fputs(help, stderr);
        exit(EXIT_USAGE);
    }
}

/* Of either family; addr_unspecified: any of that of the other end. Returns its length. */
static socklen_t to_sockaddr(const struct addr *a, bool ipv4, uint16_t port, struct sockaddr_storage *out)
{
    const bool any = addr_is_unspecified(a);
    *out = (struct sockaddr_storage){0};
    if (ipv4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        in->sin_addr.s_addr = htonl(any ? INADDR_ANY : addr_ipv4(a));
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, a->b, sizeof(a->b));
    return sizeof(*in6);
}

static bool set_discovery(int fd, bool ipv4, bool dont_fragment)
{
    const int how = ipv4 ? (dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT)
                         : (dont_fragment ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
    return setsockopt(fd, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, ipv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &how,
                      sizeof(how)) == 0;
}

/* Returns the socket or -1. */
static int open_socket(const struct plan *p)
{
    const bool ipv4 = addr_is_ipv4(&p->to);
    const int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage local;
    const socklen_t len = to_sockaddr(&p->from, ipv4, 0, &local);
    /* Bound even without --from: the receiver tells senders apart by their port. */
    if (fd < 0 || !set_discovery(fd, ipv4, p->dont_fragment) ||
        bind(fd, (const struct sockaddr *)&local, len) < 0)
        return -1;
    return fd;
}

/* Whose turn it is, and what number it gets. */
struct targets {
    uint32_t n;
    struct addr first;
    uint32_t turn;
    uint64_t *numbers; /* the next of each */
    double *upto;      /* sum of the shares up to each, at last 1; NULL: in turn */
    uint64_t state;    /* of chance; the same each time */
};

static bool targets_init(struct targets *t, const struct plan *p)
{
    *t = (struct targets){.n = p->targets, .first = p->to, .state = 1};
    t->numbers = calloc(t->n, sizeof(*t->numbers));
    t->upto = p->zipf ? calloc(t->n, sizeof(*t->upto)) : NULL;
    if (t->numbers == NULL || (p->zipf && t->upto == NULL))
        return false;
    double sum = 0;
    for (uint32_t k = 0; t->upto != NULL && k < t->n; k++)
        t->upto[k] = sum += 1.0 / (k + 1);
    for (uint32_t k = 0; t->upto != NULL && k < t->n; k++)
        t->upto[k] /= sum;
    return true;
}

static void targets_free(struct targets *t)
{
    free(t->numbers);
    free(t->upto);
}

/* A number in [0, 1). */
static double chance(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

static uint32_t targets_pick(struct targets *t)
{
    if (t->upto == NULL)
        return t->turn = (t->turn + 1) % t->n;
    const double at = chance(&t->state);
    uint32_t low = 0, high = t->n - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (t->upto[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct batch {
    int fd;
    struct targets targets;
    uint16_t port;
    struct sockaddr_storage to[BATCH];
    uint32_t size;
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    uint8_t *payloads; /* BATCH of them, one after the other */
};

static bool batch_init(struct batch *b, int fd, const struct plan *p)
{
    b->fd = fd;
    b->port = (uint16_t)p->port;
    b->size = p->size;
    b->payloads = calloc(BATCH, p->size);
    if (b->payloads == NULL || !targets_init(&b->targets, p))
        return false;
    for (int i = 0; i < BATCH; i++) {
        b->parts[i] = (struct iovec){.iov_base = b->payloads + (size_t)i * p->size, .iov_len = p->size};
        b->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &b->to[i], .msg_iov = &b->parts[i], .msg_iovlen = 1};
    }
    return true;
}

/* Sends the next n, at most BATCH. What the kernel refuses is not sent again: it would not be a constant
 * rate. */
static void batch_send(struct batch *b, unsigned n, struct result *result)
{
    for (unsigned i = 0; i < n; i++) {
        const uint32_t target = targets_pick(&b->targets);
        struct writer w = writer_over(b->parts[i].iov_base, b->size);
        struct addr to;
        addr_successor(&b->targets.first, target, &to);
        b->messages[i].msg_hdr.msg_namelen = to_sockaddr(&to, addr_is_ipv4(&to), b->port, &b->to[i]);
        write_u64(&w, b->targets.numbers[target]++);
    }
    for (unsigned done = 0; done < n;) {
        const int sent = sendmmsg(b->fd, b->messages + done, n - done, 0);
        if (sent > 0) {
            done += (unsigned)sent;
            result->sent += (unsigned)sent;
            continue;
        }
        if (errno == EINTR && !stopped)
            continue;
        result->last_errno = errno;
        result->failed++;
        done++;
    }
}

static void sleep_until(uint64_t mono_ns)
{
    const struct timespec at = {.tv_sec = (time_t)(mono_ns / NSEC_PER_S),
                                .tv_nsec = (long)(mono_ns % NSEC_PER_S)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* When number n is due, from the start: no rounding adds up. */
static uint64_t due_ns(const struct plan *p, uint64_t n)
{
    return n / p->rate * NSEC_PER_S + n % p->rate * NSEC_PER_S / p->rate;
}

static struct result run(const struct plan *p, struct batch *b)
{
    struct result result = {0};
    const uint64_t start_ns = instant_now().mono_ns;
    const uint64_t count = p->count == 0 ? UINT64_MAX : p->count;

    for (uint64_t next = 0; next < count && !stopped;) {
        const uint64_t now_ns = instant_now().mono_ns - start_ns;
        unsigned n = 0;
        while (n < BATCH && next + n < count && due_ns(p, next + n) <= now_ns)
            n++;
        if (n == 0) {
            sleep_until(start_ns + due_ns(p, next));
            continue;
        }
        batch_send(b, n, &result);
        next += n;
    }
    result.took_ns = instant_now().mono_ns - start_ns;
    return result;
}

static void report(const struct plan *p, const struct result *r)
{
    const double seconds = (double)r->took_ns / 1e9;
    const double rate = seconds > 0 ? (double)r->sent / seconds : 0;
    if (p->json)
        printf("{\"sent\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"seconds\":%.3f,\"packets_per_s\":%.1f}\n",
               r->sent, r->failed, seconds, rate);
    else
        printf("%" PRIu64 " sent in %.3f s, %.1f/s\n", r->sent, seconds, rate);
    if (r->failed > 0)
        fprintf(stderr, "homeport-stream: %" PRIu64 " not sent: %s\n", r->failed, strerror(r->last_errno));
}

int main(int argc, char **argv)
{
    struct plan plan;
    parse_options(argc, argv, &plan);

    /* Without SA_RESTART, so that a sleep ends. */
    const struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    static struct batch batch;
    const int fd = open_socket(&plan);
    if (fd < 0 || !batch_init(&batch, fd, &plan)) {
        fprintf(stderr, "homeport-stream: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    const struct result result = run(&plan, &batch);
    report(&plan, &result);
    free(batch.payloads);
    targets_free(&batch.targets);
    close(fd);
    return result.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
