/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever happens. */
#include "policy_scene.h"

static uint64_t chance(uint64_t below)
{
    static uint64_t state;
    if (below == 0)
        return state = (uint64_t)scene.n_bound; /* a new seed */
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 33) % below;
}

static void something_happens(void)
{
    const size_t i = chance(scene.n_bound);
    const struct addr h = home(i);
    struct fake *fake = &scene.fakes[chance(scene.n_fakes)];
    switch (chance(8)) {
    case 0:
        agent_revoke(scene.agent, &h, scene.now);
        break;
    case 1:
        bind_some(1 + chance(20));
        break;
    case 2:
        agent_delegate(scene.agent, &h, chance(2) ? NULL : fake->node->peer.is.name, scene.now);
        break;
    case 3:
        agent_recall(scene.agent, &h, scene.now);
        break;
    case 4:
        agent_drain(scene.agent, fake->node->peer.is.name, chance(2), scene.now);
        break;
    case 5:
        fake->refuses = chance(3) == 0;
        break;
    case 6:
        scene.pps[i] = (uint32_t)chance(5000);
        break;
    default:
        fake->mute = chance(4) == 0 || fake->node->state == PEER_DEAD;
    }
}

START_TEST(accounts_survive_everything)
{
    scene_open((uint8_t)(_i % 4), (uint8_t)(_i / 4 % 2));
    scene.settings.delegation.threshold_pps = 20000;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    for (size_t i = 0; i < 5; i++)
        join(1 + (uint16_t)(i % 3));
    bind_some(100 + (size_t)_i);
    printf("seed %llu\n", (unsigned long long)chance(0));
    for (int round = 0; round < 400; round++) {
        something_happens();
        pass(STEP_MS * (1 + chance(60)));
    }
    for (size_t i = 0; i < scene.n_fakes; i++) {
        scene.fakes[i].refuses = false;
        scene.fakes[i].mute = scene.fakes[i].node->state == PEER_DEAD;
    }
    pass(90000);
    const uint64_t before = moves();
    pass(10000);
    ck_assert_uint_eq(moves(), before); /* it comes to rest */
    accounts_are_right();
    for (size_t i = 0; i < scene.n_bound; i++)
        ck_assert(mobile_of(i)->cares == NULL || intercepted(i));
    scene_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy, life");
    TCase *life = policy_case(suite, "life");
    tcase_add_loop_test(life, accounts_survive_everything, 0, 16);
    return check_main(suite);
}
