/* SPDX-License-Identifier: BSD-3-Clause */
/* A case is a row: what happens, and everything that comes of it with its times. */
#include "neighbor_bed.h"

enum act {
    ACT_END,
    ACT_SEND,
    ACT_SEND_BY,
    ACT_WAIT,
    ACT_DUE,
    ACT_HEARD,
    ACT_FOR_US,
    ACT_ADVERTISED,
    ACT_REF,
    ACT_UNREF,
    ACT_DOWN,
    ACT_FORGET,
    ACT_NOTE_STATE
};

struct step {
    enum act act;
    unsigned arg;   /* host, port, or milliseconds */
    char letter;    /* MAC address */
    unsigned flags; /* of an advertisement */
};

#define SEND(host)                   \
    {                                \
        .act = ACT_SEND, .arg = host \
    }
#define SEND_BY(host)                   \
    {                                   \
        .act = ACT_SEND_BY, .arg = host \
    }
#define WAIT(ms)                   \
    {                              \
        .act = ACT_WAIT, .arg = ms \
    }
#define DUE()          \
    {                  \
        .act = ACT_DUE \
    }
#define HEARD(host, mac)                             \
    {                                                \
        .act = ACT_HEARD, .arg = host, .letter = mac \
    }
#define FOR_US(host, mac)                             \
    {                                                 \
        .act = ACT_FOR_US, .arg = host, .letter = mac \
    }
#define ADVERTISED(host, mac, with)                                      \
    {                                                                    \
        .act = ACT_ADVERTISED, .arg = host, .letter = mac, .flags = with \
    }
#define REF(host)                   \
    {                               \
        .act = ACT_REF, .arg = host \
    }
#define UNREF(host)                   \
    {                                 \
        .act = ACT_UNREF, .arg = host \
    }
#define DOWN(port)                   \
    {                                \
        .act = ACT_DOWN, .arg = port \
    }
#define FORGET(host)                   \
    {                                  \
        .act = ACT_FORGET, .arg = host \
    }
#define NOTE_STATE(host)                   \
    {                                      \
        .act = ACT_NOTE_STATE, .arg = host \
    }

static const struct scene {
    const char *name;
    struct step steps[32];
    const char *log;
} scenes[] = {
    {"nobody answers: asked three times, dropped, held down, forgotten",
     {SEND(9), WAIT(4000), NOTE_STATE(9), SEND(9), WAIT(4000), NOTE_STATE(9), SEND(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 1 for 9; +1000 9 failed; drop 2 for 9; +4000 9 unknown; "
     "ask 9"},
    {"an answer releases in order, and tells of it once",
     {SEND(9), SEND(9), WAIT(300), HEARD(9, 'a'), SEND(9), NOTE_STATE(9), HEARD(9, 'a')},
     "ask 9; +300 on 9; out 1 to a; out 2 to a; out 3 to a; 9 reachable"},
    {"an answer at the last moment counts",
     {SEND(9), WAIT(2999), HEARD(9, 'a')},
     "ask 9; +1000 ask 9; +1000 ask 9; +999 on 9; out 1 to a"},
    {"an unreferenced one is probed as long as it answers",
     {SEND(9), HEARD(9, 'a'), DUE(), WAIT(5), HEARD(9, 'a'), DUE(), HEARD(9, 'a'), DUE()},
     "ask 9; on 9; out 1 to a; +reachable ask 9 at a; +reachable ask 9 at a; +reachable ask 9 at a"},
    {"an unreferenced one that no longer answers is used until the tries are over, then forgotten",
     {FOR_US(9, 'a'), DUE(), WAIT(2999), SEND(9), NOTE_STATE(9), WAIT(1), NOTE_STATE(9)},
     "on 9; +reachable ask 9 at a; +1000 ask 9 at a; +1000 ask 9 at a; +999 out 1 to a; 9 probing; +1 off 9; "
     "9 unknown"},
    {"a referenced one that no longer answers where it was is asked for everywhere, then fails",
     {REF(9), HEARD(9, 'a'), DUE(), WAIT(2500), SEND_BY(9), WAIT(500), SEND_BY(9), WAIT(3000)},
     "ask 9; +reachable ask 9 at a; +1000 ask 9 at a; +1000 ask 9 at a; +500 out 1 to a; +500 ask 9; "
     "+1000 ask 9; +1000 ask 9; +1000 drop 2 for 9"},
    {"a probed one that answers from another MAC address is moved",
     {REF(9), HEARD(9, 'a'), DUE(), HEARD(9, 'b'), SEND_BY(9), NOTE_STATE(9), DUE()},
     "ask 9; +reachable ask 9 at a; out 1 to b; 9 reachable; +reachable ask 9 at b"},
    {"a referenced one is asked at once, then again and again",
     {REF(9), WAIT(12000), NOTE_STATE(9), WAIT(5000), HEARD(9, 'a'), NOTE_STATE(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +6000 ask 9; +1000 ask 9; +1000 ask 9; +2000 9 failed; "
     "+4000 ask 9; +1000 ask 9; 9 reachable"},
    {"a referenced one that failed is asked again when used",
     {REF(9), WAIT(4000), SEND_BY(9), NOTE_STATE(9), WAIT(100), HEARD(9, 'a')},
     "ask 9; +1000 ask 9; +1000 ask 9; +2000 ask 9; 9 incomplete; +100 out 1 to a"},
    {"the same by its address",
     {REF(9), WAIT(4000), SEND(9), WAIT(100), HEARD(9, 'a')},
     "ask 9; +1000 ask 9; +1000 ask 9; +2000 ask 9; +100 out 1 to a"},
    {"a reference takes one out of its hold-down",
     {SEND(9), WAIT(3500), REF(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 1 for 9; +500 ask 9"},
    {"a reference to one that is being asked for does not ask again",
     {SEND(9), WAIT(500), REF(9), WAIT(500)},
     "ask 9; +1000 ask 9"},
    {"a referenced one is on the link once nobody references it",
     {REF(9), REF(9), HEARD(9, 'a'), UNREF(9), WAIT(10), UNREF(9)},
     "ask 9; +10 on 9"},
    {"a failed one whose reference goes is forgotten in its time",
     {REF(9), WAIT(4000), UNREF(9), WAIT(4000), NOTE_STATE(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +6000 9 unknown"},
    {"a MAC address that changes is taken over",
     {REF(9), HEARD(9, 'a'), SEND_BY(9), HEARD(9, 'b'), SEND_BY(9)},
     "ask 9; out 1 to a; out 2 to b"},
    {"an ARP packet of an unknown one that is not for us teaches nothing",
     {HEARD(9, 'a'), NOTE_STATE(9)},
     "9 unknown"},
    {"one that is for us does", {FOR_US(9, 'a'), NOTE_STATE(9), SEND(9)}, "on 9; 9 reachable; out 1 to a"},
    {"a failed one that speaks is reachable",
     {SEND(9), WAIT(4000), HEARD(9, 'a'), SEND(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 1 for 9; +1000 on 9; out 2 to a"},
    {"link down: unreferenced ones are forgotten with their packets",
     {FOR_US(9, 'a'), SEND(8), DOWN(0), NOTE_STATE(8), NOTE_STATE(9)},
     "on 9; ask 8; off 9; lose 1 for 8; 8 unknown; 9 unknown"},
    {"link down: referenced ones are asked for again, packets wait",
     {REF(9), SEND_BY(9), DOWN(0), WAIT(1000), HEARD(9, 'a'), DOWN(0), SEND_BY(9), WAIT(4000)},
     "ask 9; +1000 ask 9; out 1 to a; +1000 ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 2 for 9"},
    {"link down: the other link is not touched", {FOR_US(9, 'a'), DOWN(1), SEND(9)}, "on 9; out 1 to a"},
    {"forget: an unreferenced one is gone",
     {FOR_US(9, 'a'), FORGET(9), NOTE_STATE(9), FORGET(9)},
     "on 9; off 9; 9 unknown"},
    {"forget: a referenced one is asked for again, a second after the last time",
     {REF(9), WAIT(400), HEARD(9, 'a'), FORGET(9), SEND_BY(9), WAIT(700), HEARD(9, 'b')},
     "ask 9; +1000 ask 9; +100 out 1 to b"},
    {"forget: one that has become referenced is no longer on the link",
     {FOR_US(9, 'a'), REF(9), FORGET(9), WAIT(0), NOTE_STATE(9), HEARD(9, 'b'), UNREF(9)},
     "on 9; off 9; ask 9; 9 incomplete; on 9"},
};

/* RFC 4861 section 7.2.5, and 7.2.3 for solicitations. */
static const struct scene scenes_ipv6[] = {
    {"advertised, asked for: reachable",
     {SEND(9), ADVERTISED(9, 'a', SOLICITED), NOTE_STATE(9), WAIT(20000)},
     "ask 9; on 9; out 1 to a; 9 reachable"},
    {"override does not matter while unresolved",
     {SEND(9), ADVERTISED(9, 'a', SOLICITED | OVERRIDE), NOTE_STATE(9)},
     "ask 9; on 9; out 1 to a; 9 reachable"},
    {"advertised, not asked for: used, and asked, a second after the last time",
     {SEND(9), WAIT(100), ADVERTISED(9, 'a', 0), NOTE_STATE(9), WAIT(1000), ADVERTISED(9, 'a', SOLICITED),
      NOTE_STATE(9)},
     "ask 9; +100 on 9; out 1 to a; 9 probing; +900 ask 9 at a; +100 9 reachable"},
    {"an advertisement without an address teaches nothing while unresolved",
     {SEND(9), ADVERTISED(9, 0, SOLICITED), NOTE_STATE(9)},
     "ask 9; 9 incomplete"},
    {"an advertisement of an unknown one teaches nothing",
     {ADVERTISED(9, 'a', SOLICITED | OVERRIDE), NOTE_STATE(9)},
     "9 unknown"},
    {"another address without override: not taken, but asked whether the known one still holds",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', SOLICITED), NOTE_STATE(9),
      SEND_BY(9), WAIT(1)},
     "ask 9; +5000 9 probing; out 1 to a; ask 9 at a"},
    {"and while it is asked, not at all",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', 0), WAIT(2500),
      ADVERTISED(9, 'b', 0), WAIT(499), NOTE_STATE(9), WAIT(1), NOTE_STATE(9)},
     "ask 9; +5000 ask 9 at a; +1000 ask 9 at a; +1000 ask 9 at a; +999 9 probing; +1 ask 9; 9 incomplete"},
    {"another address with override: taken, and asked",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', OVERRIDE), NOTE_STATE(9),
      SEND_BY(9), WAIT(1)},
     "ask 9; +5000 9 probing; out 1 to b; ask 9 at b"},
    {"the same, asked for: taken, and reachable",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', OVERRIDE | SOLICITED),
      NOTE_STATE(9), SEND_BY(9), WAIT(1)},
     "ask 9; +5000 9 reachable; out 1 to b"},
    {"the known address, not asked for: nothing new",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), DUE(), ADVERTISED(9, 'a', OVERRIDE), NOTE_STATE(9)},
     "ask 9; +reachable ask 9 at a; 9 probing"},
    {"an answer without an address confirms the known one",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), DUE(), ADVERTISED(9, 0, SOLICITED), NOTE_STATE(9)},
     "ask 9; +reachable ask 9 at a; 9 reachable"},
    {"a solicitation for us makes it known, and asked",
     {FOR_US(9, 'a'), NOTE_STATE(9), WAIT(1)},
     "on 9; 9 probing; ask 9 at a"},
    {"one more from where it is known to be changes nothing",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), FOR_US(9, 'a'), NOTE_STATE(9), HEARD(9, 'b'), NOTE_STATE(9)},
     "ask 9; 9 reachable; 9 probing"},
};

static bool view(unsigned h, struct neighbor_view *out)
{
    for (uint32_t cursor = 0; neighbor_next(bed.n, &cursor, bed.now_ns, out);) {
        if (bed_host_of(&out->address) == h)
            return true;
    }
    return false;
}

static const char *state_of(unsigned h)
{
    struct neighbor_view v;
    return view(h, &v) ? neighbor_state_text(v.state) : "unknown";
}

static void step(const struct step *s)
{
    const struct addr a = bed_host(s->arg);
    switch (s->act) {
    case ACT_END:
        return;
    case ACT_SEND:
        bed_send(s->arg);
        return;
    case ACT_SEND_BY:
        neighbor_send_by(bed.n, bed.adjacency[s->arg], bed_packet(), bed.now_ns);
        return;
    case ACT_WAIT:
        bed_wait_ms(s->arg);
        return;
    case ACT_DUE: /* the next thing that is due, whenever that is */
        for (size_t before = bed.log_len; bed.log_len == before;) { /* a deadline may be early */
            bed.now_ns = neighbor_deadline(bed.n);
            neighbor_expire(bed.n, bed.now_ns, 1);
        }
        return;
    case ACT_HEARD:
    case ACT_FOR_US:
        bed_hear(s->arg, s->letter, s->act == ACT_FOR_US);
        return;
    case ACT_ADVERTISED:
        bed_advertise(s->arg, s->letter, s->flags);
        return;
    case ACT_REF:
        bed.adjacency[s->arg] = bed_reference(s->arg);
        ck_assert_uint_ne(bed.adjacency[s->arg], ADJACENCY_NONE);
        return;
    case ACT_UNREF:
        neighbor_release_reference(bed.n, bed.adjacency[s->arg], bed.now_ns);
        return;
    case ACT_DOWN:
        neighbor_port_down(bed.n, (uint8_t)s->arg, bed.now_ns);
        return;
    case ACT_FORGET:
        neighbor_forget(bed.n, 0, &a, bed.now_ns);
        return;
    case ACT_NOTE_STATE:
        bed_note("%u %s", s->arg, state_of(s->arg));
        return;
    }
}

static void play(const struct scene *scene, bool ipv6)
{
    bed_make(16, 1);
    bed.ipv6 = ipv6;
    bed.logs = true;
    for (const struct step *s = scene->steps; s->act != ACT_END; s++)
        step(s);
    bed.logs = false;
    ck_assert_msg(strcmp(bed.log, scene->log) == 0, "%s\n  is      %s\n  must be %s", scene->name, bed.log,
                  scene->log);
    bed_clear();
}

START_TEST(a_scene)
{
    play(&scenes[_i], false);
}
END_TEST

START_TEST(a_scene_of_ipv6)
{
    play(&scenes_ipv6[_i], true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("neighbor_scenes");
    TCase *each = tcase_create("scenes");
    tcase_add_loop_test(each, a_scene, 0, ROWS(scenes));
    tcase_add_loop_test(each, a_scene_of_ipv6, 0, ROWS(scenes_ipv6));
    suite_add_tcase(suite, each);
    return check_main(suite);
}
