/* SPDX-License-Identifier: BSD-3-Clause */
/* homeportd: the order of start and stop, nothing else. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "conf.h"
#include "console.h"
#include "control.h"
#include "detach.h"
#include "eal.h"
#include "idle.h"
#include "log.h"
#include "workers.h"

enum { EXIT_USAGE = 2 };

struct options {
    const char *file;
    bool check_only;
    bool foreground;
    int n_eal;
    char **eal;
};

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

static void usage(FILE *to)
{
    fputs("usage: homeportd -c FILE [-t] [-f] [-- EAL-OPTION...]\n"
          "  -c FILE  the configuration\n"
          "  -t       check the configuration and exit\n"
          "  -f       stay in the foreground and log to stderr (what systemd wants, too)\n"
          "  -V       print the version and exit\n",
          to);
}

/* True: go on with *o. */
static bool parse_options(int argc, char **argv, struct options *o)
{
    int option;
    *o = (struct options){.foreground = getenv("INVOCATION_ID") != NULL};
    while ((option = getopt(argc, argv, "c:tfVh")) != -1) {
        switch (option) {
        case 'c':
            o->file = optarg;
            break;
        case 't':
            o->check_only = true;
            break;
        case 'f':
            o->foreground = true;
            break;
        case 'V':
            puts("homeportd " HOMEPORT_VERSION);
            exit(EXIT_SUCCESS);
        case 'h':
            usage(stdout);
            exit(EXIT_SUCCESS);
        default:
            return false;
        }
    }
    bool separated = optind > 0 && strcmp(argv[optind - 1], "--") == 0;
    if (o->file == NULL || (optind < argc && !separated))
        return false;
    o->eal = argv + optind;
    o->n_eal = argc - optind;
    return true;
}

static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = request_stop};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void serve(struct control *c, bool adaptive)
{
    struct idle idle = idle_begin(adaptive);
    while (!stop_requested) {
        long sleep_ns = idle_sleep_ns(&idle, control_turn(c, instant_now()));
        if (sleep_ns > 0)
            idle_sleep(sleep_ns);
    }
}

/* Everything between an EAL that is up and one that may go down. */
static int run(struct conf *conf, int waiting)
{
    struct control control;
    if (rte_lcore_count() < 2) {
        log_error("eal { lcores = \"%s\" } names one lcore: control needs one and every worker another",
                  conf->eal.lcores);
        conf_free(conf);
        return EXIT_FAILURE;
    }
    bool adaptive = conf->idle == IDLE_ADAPTIVE;
    if (control_open(&control, conf, instant_now()) != 0)
        return EXIT_FAILURE;
    int status = EXIT_FAILURE;
    eal_step_aside();
    struct console *console = console_start(control.conf, control.mailbox);
    eal_rejoin();
    if (console != NULL && workers_start(&control) == 0) {
        log_info("homeportd " HOMEPORT_VERSION " serves: %zu mobile nodes, %u ports, %u workers",
                 agent_mobiles(control.agent), control.ports.n, control.n_workers);
        detach_ready(waiting);
        serve(&control, adaptive);
        log_info("stopping");
        status = EXIT_SUCCESS;
    }
    mailbox_close(control.mailbox);
    console_stop(console);
    workers_stop(&control);
    control_close(&control);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    if (!parse_options(argc, argv, &o)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    struct conf *conf = conf_load(o.file, stderr);
    if (conf == NULL)
        return EXIT_FAILURE;
    fputs(conf->warnings, stderr);
    if (o.check_only) {
        conf_free(conf);
        return EXIT_SUCCESS;
    }
    int waiting = -1;
    if (!o.foreground && (waiting = detach_begin()) < 0) {
        perror("homeportd: into the background");
        return EXIT_FAILURE;
    }
    static char node[CONF_NAME_MAX]; /* the log names it to the very end */
    memcpy(node, conf->node, sizeof(node));
    log_open(node, !o.foreground);
    if (eal_start(argv[0], conf, o.n_eal, o.eal) != 0) {
        conf_free(conf);
        return EXIT_FAILURE;
    }
    catch_signals();
    int status = run(conf, waiting);
    eal_stop();
    return status;
}
