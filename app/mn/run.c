/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"
#include "commands.h"
#include "home_link.h"
#include "lodging.h"
#include "report.h"
#include "tunnel.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const uint64_t tick_ns = NSEC_PER_S;
static const uint64_t grace_ns = 3 * NSEC_PER_S; /* a first retransmission and the second */

/* On the TUN device there is no network. */
enum { HOST_BITS_IPV4 = 32, HOST_BITS_IPV6 = 128 };

/* SETTLING: no new wishes, but a while for the answers to the old ones. */
enum phase { RUNNING, SETTLING, ENDING, OVER };

struct run {
    const struct options *o;
    struct fleet *fleet;
    struct net *net;
    struct tunnel *tunnel;
    struct lodging *lodging;
    int epoll;
    int signals;
    struct commands commands;
    enum phase phase;
    struct addr care_of[NET_SOCKETS_MAX]; /* those to roam between, */
    size_t care_of_count;
    size_t turn; /* and which of them is the first one's now */
    bool away;   /* the last place wanted is not home */
    bool status_wanted;
    bool stranded; /* could not come home */
    int announce_errno;
    struct instant now; /* of this turn of the loop */
    uint64_t end_ns;
    uint64_t roam_ns;
    uint64_t next_tick_ns;
    struct progress before; /* totals at the last tick, */
    struct progress last;   /* and what the last second added */
    uint64_t peak;
};

static void complain(const char *what, int err)
{
    fprintf(stderr, "homeport-mn: %s: %s\n", what, strerror(err));
}

static bool is_ipv6(const struct run *r)
{
    return !addr_is_ipv4(&r->o->home_agent);
}

/* Announces first, as RFC 5944 section 4.6 orders it. */
static void emit(void *shell, const struct mobile *m, const struct mobile_output *out)
{
    struct run *r = shell;
    const int err = out->announce ? lodging_announce(r->lodging, &m->identity.home) : 0;
    if (err < 0 && r->announce_errno != -err) {
        r->announce_errno = -err;
        complain("announcement on the home link", -err);
    }
    if (out->len > 0)
        net_send(r->net, out);
}

static bool is_care_of(void *shell, const struct addr *a)
{
    const struct run *r = shell;
    return net_has(r->net, a);
}

static bool make_fleet(struct run *r)
{
    const struct options *o = r->o;
    struct addr twice;
    struct fleet_conf conf = {
        .policy = o->policy, .home_agent = o->home_agent, .rate = o->rate, .emit = emit, .shell = r};
    if (getrandom(&conf.seed, sizeof(conf.seed), 0) != sizeof(conf.seed)) {
        complain("randomness", errno);
        return false;
    }
    r->fleet = fleet_create(&conf, &o->roster, &twice);
    if (r->fleet != NULL)
        return true;

    char text[ADDR_TEXT_MAX];
    if (addr_is_unspecified(&twice))
        complain("mobile nodes", ENOMEM);
    else
        fprintf(stderr, "homeport-mn: home address %s occurs twice\n", addr_format(&twice, text));
    return false;
}

static bool watch(struct run *r, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Commands come from a pipe, a socket or the terminal in whose foreground we are. A plain file (and
 * /dev/null) cannot be polled and is left alone; a terminal must not stop us in the background. */
static void watch_commands(struct run *r)
{
    if (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp())
        return;
    (void)watch(r, STDIN_FILENO);
}

static bool watch_signals(struct run *r)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return false;
    /* A reader of our output that went away must not take the deregistrations with it. */
    signal(SIGPIPE, SIG_IGN);
    r->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return r->signals >= 0 && watch(r, r->signals);
}

static bool open_care_of(struct run *r, const struct addr *care_of, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[ADDR_TEXT_MAX];
        const int err = net_open(r->net, &care_of[i]);
        if (err == 0)
            continue;
        complain(addr_format(&care_of[i], text), -err);
        return false;
    }
    return true;
}

static bool make_tunnel(struct run *r)
{
    const struct options *o = r->o;
    const struct tunnel_conf conf = {.fleet = r->fleet,
                                     .ipv6 = is_ipv6(r),
                                     .is_care_of = is_care_of,
                                     .shell = r,
                                     .stream_port = o->stream_port,
                                     .tun = o->tun,
                                     .reverse = o->policy.reverse_tunnel};
    const char *what;
    r->tunnel = tunnel_create(&conf, &what);
    if (r->tunnel == NULL) {
        complain(what, errno);
        return false;
    }
    const int reverse = tunnel_reverse_fd(r->tunnel);
    if (watch(r, tunnel_fd(r->tunnel)) && (reverse < 0 || watch(r, reverse)))
        return true;
    complain("epoll", errno);
    return false;
}

static bool start(struct run *r)
{
    const struct options *o = r->o;
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->net = r->epoll < 0 ? NULL : net_create(r->epoll, o->port, &o->home_agent);
    if (r->net == NULL || !watch_signals(r)) {
        complain("start", errno);
        return false;
    }
    if (!make_fleet(r) || !open_care_of(r, o->care_of, o->care_of_count) || !make_tunnel(r))
        return false;
    r->lodging = lodging_create(r->fleet);
    if (r->lodging == NULL) {
        complain("start", ENOMEM);
        return false;
    }
    watch_commands(r);
    return true;
}

struct run *run_create(const struct options *o)
{
    struct run *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->o = o;
    r->epoll = r->signals = -1;
    memcpy(r->care_of, o->care_of, sizeof(r->care_of));
    r->care_of_count = o->care_of_count;
    if (!start(r)) {
        run_destroy(r);
        return NULL;
    }
    return r;
}

void run_destroy(struct run *r)
{
    if (r == NULL)
        return;
    lodging_destroy(r->lodging);
    tunnel_destroy(r->tunnel);
    net_destroy(r->net);
    fleet_destroy(r->fleet);
    if (r->signals >= 0)
        close(r->signals);
    if (r->epoll >= 0)
        close(r->epoll);
    free(r);
}

/* The kernel is told first: away, it must not answer ARP for the home addresses on the home link any more. */
int run_register(struct run *r)
{
    const int err = lodging_move(r->lodging, r->o->tun, is_ipv6(r) ? HOST_BITS_IPV6 : HOST_BITS_IPV4);
    if (err < 0)
        return err;

    struct addr order[NET_SOCKETS_MAX];
    const size_t count = r->o->spread ? r->care_of_count : 1;
    for (size_t i = 0; i < count; i++)
        order[i] = r->care_of[(r->turn + i) % r->care_of_count];
    r->away = true;
    fleet_want(r->fleet, MOBILE_ABROAD, order, count, r->now.mono_ns);
    return 0;
}

int run_roam(struct run *r, const struct addr *care_of, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (addr_is_ipv4(&care_of[i]) == is_ipv6(r))
            return -EAFNOSUPPORT;
        const int err = net_open(r->net, &care_of[i]);
        if (err < 0)
            return err;
    }
    memcpy(r->care_of, care_of, count * sizeof(*care_of));
    r->care_of_count = count;
    r->turn = 0;
    return run_register(r);
}

/* Nobody answers where no home agent defends the home address: then the kernel may ask as it likes. */
static int meet_agent(struct run *r, const char *interface)
{
    if (!is_ipv6(r))
        return 0;
    const struct mobile *m = &fleet_node(r->fleet, 0)->mobile;
    const int err = home_link_meet_agent(interface, &m->identity.home, &m->home_agent);
    return err == -ETIMEDOUT ? 0 : err;
}

int run_go_home(struct run *r, const char *interface)
{
    int err = meet_agent(r, interface);
    if (err == 0)
        err = net_open_home(r->net, interface);
    if (err == 0)
        err = lodging_move(r->lodging, interface, r->o->netmask_bits);
    if (err < 0)
        return err;
    r->away = false;
    fleet_want(r->fleet, MOBILE_HOME, NULL, 0, r->now.mono_ns);
    return 0;
}

void run_deregister(struct run *r)
{
    fleet_want(r->fleet, MOBILE_UNBOUND, NULL, 0, r->now.mono_ns);
}

static struct report report_of(const struct run *r)
{
    struct report report = {.fleet = r->fleet, .tunnel = tunnel_counters(r->tunnel), .peak = r->peak};
    report.unsent = net_unsent(r->net, &report.unsent_errno);
    return report;
}

void run_status(struct run *r)
{
    const struct report report = report_of(r);
    report_status(stdout, &report, r->now.mono_ns, r->o->json);
}

void run_status_when_quiet(struct run *r)
{
    r->status_wanted = true;
}

void run_stop(struct run *r)
{
    if (r->phase != RUNNING) {
        r->phase = OVER;
        return;
    }
    r->phase = SETTLING;
    r->roam_ns = TIMER_NEVER;
    r->end_ns = r->now.mono_ns + grace_ns;
}

/* The last wish of all, if there is one. */
static void say_goodbye(struct run *r)
{
    r->phase = OVER;
    r->end_ns = TIMER_NEVER;
    fleet_close(r->fleet, r->now.mono_ns);
    if (r->o->at_home != NULL && r->away) {
        const int err = run_go_home(r, r->o->at_home);
        if (err < 0) {
            complain(r->o->at_home, -err);
            r->stranded = true;
            return;
        }
    } else if (r->o->deregister) {
        run_deregister(r);
    }
    if (!fleet_is_quiet(r->fleet) && (r->o->at_home != NULL || r->o->deregister))
        r->phase = ENDING;
}

static void roam_to_next(struct run *r)
{
    r->roam_ns += r->o->roam_every_s * NSEC_PER_S;
    if (!r->away)
        return;
    r->turn = (r->turn + 1) % r->care_of_count;
    const int err = run_register(r);
    if (err < 0)
        complain("roam", -err);
}

static void print_progress(const struct run *r)
{
    const bool terminal = isatty(STDERR_FILENO);
    const struct report report = report_of(r);
    fputs(terminal ? "\r" : "", stderr);
    report_progress(stderr, &report, &r->last, r->now.mono_ns);
    fputs(terminal ? "\033[K" : "\n", stderr);
}

static void tick(struct run *r)
{
    const struct progress total = {.accepted = fleet_tally(r->fleet)->accepted,
                                   .packets = tunnel_counters(r->tunnel)->verdicts[TUNNEL_DELIVERED]};
    r->last.accepted = total.accepted - r->before.accepted;
    r->last.packets = total.packets - r->before.packets;
    r->before = total;
    if (r->last.accepted > r->peak)
        r->peak = r->last.accepted;
    while (r->next_tick_ns <= r->now.mono_ns)
        r->next_tick_ns += tick_ns;
    if (!r->o->quiet)
        print_progress(r);
}

static void end_phase(struct run *r)
{
    if (r->phase == SETTLING)
        say_goodbye(r);
    else if (r->phase == ENDING)
        r->phase = OVER;
    else
        run_stop(r);
}

/* Everything that time brings. */
static void do_due(struct run *r)
{
    fleet_turn(r->fleet, r->now);
    net_flush(r->net);
    if (r->now.mono_ns >= r->next_tick_ns)
        tick(r);
    if (r->now.mono_ns >= r->end_ns)
        end_phase(r);
    if (r->now.mono_ns >= r->roam_ns)
        roam_to_next(r);
    if (!fleet_is_quiet(r->fleet))
        return;
    if (r->status_wanted)
        run_status(r);
    r->status_wanted = false;
    if (r->phase != RUNNING || r->o->duration_s == OPTIONS_UNTIL_ANSWERED)
        end_phase(r);
}

static int wait_ms(const struct run *r)
{
    uint64_t next_ns = fleet_deadline(r->fleet);
    const uint64_t others_ns[] = {r->next_tick_ns, r->roam_ns, r->end_ns};
    for (int i = 0; i < 3; i++)
        if (others_ns[i] < next_ns)
            next_ns = others_ns[i];
    const uint64_t now_ns = instant_now().mono_ns;
    return next_ns <= now_ns ? 0 : (int)((next_ns - now_ns + NSEC_PER_MS - 1) / NSEC_PER_MS);
}

static void input(void *shell, const struct mobile_reply *reply)
{
    struct run *r = shell;
    fleet_input(r->fleet, r->now, reply);
}

static void read_commands(struct run *r)
{
    char bytes[512];
    const ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n > 0)
        commands_input(&r->commands, r, bytes, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        epoll_ctl(r->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
}

static void read_signal(struct run *r)
{
    struct signalfd_siginfo info;
    if (read(r->signals, &info, sizeof(info)) == sizeof(info))
        run_stop(r);
}

static void serve(struct run *r, int fd)
{
    if (fd == tunnel_fd(r->tunnel))
        tunnel_receive(r->tunnel);
    else if (fd == tunnel_reverse_fd(r->tunnel))
        tunnel_reverse(r->tunnel);
    else if (fd == r->signals)
        read_signal(r);
    else if (fd == STDIN_FILENO)
        read_commands(r);
    else
        net_receive(r->net, fd, input, r);
}

static void turn(struct run *r)
{
    struct epoll_event events[16];
    const int n = epoll_wait(r->epoll, events, 16, wait_ms(r));
    r->now = instant_now();
    for (int i = 0; i < n; i++)
        serve(r, events[i].data.fd);
    do_due(r);
}

static void print_report(struct run *r)
{
    const struct report report = report_of(r);
    if (!r->o->quiet && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    if (r->o->json)
        report_json(stdout, &report);
    else
        report_text(stdout, &report);
    fflush(stdout);
}

bool run_loop(struct run *r)
{
    const struct options *o = r->o;
    r->now = instant_now();
    const uint64_t start_ns = r->now.mono_ns;
    r->next_tick_ns = start_ns + tick_ns;
    r->roam_ns = o->roam_every_s == 0 ? TIMER_NEVER : start_ns + o->roam_every_s * NSEC_PER_S;
    r->end_ns = o->duration_s <= 0 ? TIMER_NEVER : start_ns + (uint64_t)o->duration_s * NSEC_PER_S;

    const int err = run_register(r);
    if (err < 0) {
        complain(o->tun, -err);
        return false;
    }
    while (r->phase != OVER)
        turn(r);
    fleet_close(r->fleet, r->now.mono_ns);
    r->now = instant_now();
    tick(r);
    print_report(r);
    return !r->stranded && fleet_is_content(r->fleet);
}
