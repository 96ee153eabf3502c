/* SPDX-License-Identifier: BSD-3-Clause */
#include "../check_main.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "commands.h"

/* The mailbox calls nothing but a row's run. */
static enum command_step count_up(struct control *control, struct command *command)
{
    (void)control;
    if (command->cursor == 3)
        return COMMAND_DONE;
    command->cursor++;
    report_begin(&command->out);
    return COMMAND_MORE;
}

static const struct command_row row = {.words = "count", .arguments = "", .help = "", .run = count_up};

struct poster {
    pthread_t thread;
    struct mailbox *mailbox;
    struct command command;
    enum command_step step;
    atomic_bool back;
};

static void *post(void *argument)
{
    struct poster *p = argument;
    p->step = mailbox_run(p->mailbox, &p->command);
    atomic_store(&p->back, true);
    return NULL;
}

static void start(struct poster *p, struct mailbox *m)
{
    p->mailbox = m;
    p->command.row = &row;
    atomic_store(&p->back, false);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, post, p), 0);
}

static unsigned count_back(struct poster *posters, unsigned n)
{
    unsigned back = 0;
    for (unsigned i = 0; i < n; i++)
        back += atomic_load(&posters[i].back);
    return back;
}

static void await_back(struct poster *posters, unsigned n, unsigned wanted)
{
    for (int tries = 0; tries < 5000 && count_back(posters, n) < wanted; tries++)
        usleep(1000);
    ck_assert_uint_eq(count_back(posters, n), wanted);
}

/* Serves until `wanted` are back: who has been started may not have posted yet. */
static void serve_until(struct mailbox *m, struct poster *posters, unsigned n, unsigned wanted)
{
    for (int tries = 0; tries < 5000 && count_back(posters, n) < wanted; tries++) {
        mailbox_serve(m, NULL, 1);
        usleep(1000);
    }
    ck_assert_uint_eq(count_back(posters, n), wanted);
}

START_TEST(a_slice_each)
{
    static struct poster p;
    struct mailbox *m = mailbox_create();
    for (uint64_t slice = 1; slice <= 4; slice++) {
        start(&p, m);
        serve_until(m, &p, 1, 1);
        pthread_join(p.thread, NULL);
        ck_assert_int_eq(p.step, slice <= 3 ? COMMAND_MORE : COMMAND_DONE);
        ck_assert_uint_eq(p.command.cursor, slice <= 3 ? slice : 3);
    }
    mailbox_destroy(m);
}
END_TEST

START_TEST(nobody_is_back_before_being_served)
{
    static struct poster p;
    struct mailbox *m = mailbox_create();
    start(&p, m);
    usleep(50000);
    ck_assert_uint_eq(count_back(&p, 1), 0);
    ck_assert_uint_eq(p.command.cursor, 0);
    serve_until(m, &p, 1, 1);
    pthread_join(p.thread, NULL);
    mailbox_destroy(m);
}
END_TEST

START_TEST(the_budget_is_kept)
{
    enum { N = 8 };
    static struct poster p[N];
    struct mailbox *m = mailbox_create();
    for (int i = 0; i < N; i++)
        start(&p[i], m);
    usleep(200000); /* all have posted */
    mailbox_serve(m, NULL, 0);
    usleep(50000);
    ck_assert_uint_eq(count_back(p, N), 0);
    mailbox_serve(m, NULL, 3);
    await_back(p, N, 3);
    usleep(50000);
    ck_assert_uint_eq(count_back(p, N), 3);
    mailbox_serve(m, NULL, 100);
    await_back(p, N, N);
    for (int i = 0; i < N; i++) {
        pthread_join(p[i].thread, NULL);
        ck_assert_int_eq(p[i].step, COMMAND_MORE);
    }
    mailbox_destroy(m);
}
END_TEST

START_TEST(a_full_mailbox_refuses)
{
    enum { N = MAILBOX_CAPACITY + 4 };
    static struct poster p[N];
    struct mailbox *m = mailbox_create();
    for (int i = 0; i < N; i++)
        start(&p[i], m);
    await_back(p, N, N - MAILBOX_CAPACITY);
    for (int i = 0; i < N; i++) {
        if (atomic_load(&p[i].back)) {
            ck_assert_int_eq(p[i].step, COMMAND_REFUSED);
            ck_assert_str_ne(p[i].command.refusal, "");
        }
    }
    serve_until(m, p, N, N);
    for (int i = 0; i < N; i++)
        pthread_join(p[i].thread, NULL);
    mailbox_destroy(m);
}
END_TEST

START_TEST(closing_lets_everybody_go)
{
    enum { N = 5 };
    static struct poster p[N];
    struct mailbox *m = mailbox_create();
    for (int i = 0; i < N; i++)
        start(&p[i], m);
    usleep(50000);
    mailbox_close(m);
    await_back(p, N, N);
    for (int i = 0; i < N; i++) {
        pthread_join(p[i].thread, NULL);
        ck_assert_int_eq(p[i].step, COMMAND_REFUSED);
        ck_assert_uint_eq(p[i].command.cursor, 0);
    }
    start(&p[0], m);
    await_back(p, 1, 1);
    pthread_join(p[0].thread, NULL);
    ck_assert_int_eq(p[0].step, COMMAND_REFUSED);
    mailbox_destroy(m);
}
END_TEST

START_TEST(destroying_nothing_is_fine)
{
    mailbox_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mailbox");
    TCase *cases = tcase_create("mailbox");
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, a_slice_each);
    tcase_add_test(cases, nobody_is_back_before_being_served);
    tcase_add_test(cases, the_budget_is_kept);
    tcase_add_test(cases, a_full_mailbox_refuses);
    tcase_add_test(cases, closing_lets_everybody_go);
    tcase_add_test(cases, destroying_nothing_is_fine);
    suite_add_tcase(suite, cases);
    return check_main(suite);
}
