/* SPDX-License-Identifier: BSD-3-Clause */
/* What must be bound, by the RFCs alone: it knows nothing of the agent's insides. */
#ifndef RANDOM_MODEL_H
#define RANDOM_MODEL_H

#include "world.h"

struct expectation {
    bool answered;
    bool again; /* the answer that was given before */
    bool fresh;
    uint8_t code;
};

/* What the agent has to say to a request that nobody tampered with. */
struct expectation model_expect(struct node *node, const struct packet *packet);
/* It has said so. */
void model_apply(struct node *node, const struct packet *packet, const struct expectation *expectation);
/* It has told this Identification. */
void model_learn(struct node *node, const struct expectation *expectation, uint64_t identification);
void model_expire(struct node *node);
struct bound *model_find(struct node *node, const struct addr *care_of);
/* So many care-of addresses are bound. */
void model_note_bound(struct node *node, size_t count);

#endif
