/*
 * The world of a timeline: the simulated nodes, an agent that probes them as the real one does, and
 * the invariants, checked after every step. A second shard sees the same with its nodes in reverse
 * order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/shard.h"
#include "sim.h"

#define WORLD_POOLS	 2 /* 0: master pool `write`; 1: replica pool `read` */
#define WORLD_ERROR_SIZE 256

struct world_probe {
	int64_t due_ms; /* the next round begins */
	int64_t at_ms;	/* the round under way ends; 0: none is */
	struct observation observation;
};

struct world {
	struct sim sim;
	struct shard *shard, *mirror;
	struct world_probe probes[SIM_NODES];
	struct observation answered[SIM_NODES]; /* the last answer with facts of each */
	bool was_answer[SIM_NODES];		/* its last round was one */
	int64_t stalled_until_ms;		/* the agent stands still; 0: it does not */
	int64_t now_ms;
	uint64_t random; /* latency; 0: none */
	struct verdict was[WORLD_POOLS][SIM_NODES];
	int incumbent;
	char admitted_run_id[8][INFO_ID_SIZE], admitted_replid[8][INFO_ID_SIZE];
	size_t admissions;
	bool trace;
	char error[WORLD_ERROR_SIZE]; /* the first invariant that broke, or "" */
};

struct shard_policy world_default_policy(void);

/** The agent starts at @now_ms. @sentinels: how many are known. */
void world_start(struct world *world, const struct shard_policy *policy, size_t sentinels,
		 int64_t now_ms);
void world_done(struct world *world);

/** Goes on to @until_ms, round after round. False: an invariant broke, see world->error. */
bool world_run(struct world *world, int64_t until_ms);

/** Something happened to a node that cut its connections: asked again at once. */
void world_notice(struct world *world);

/** The agent's loop stands still for @duration_ms. */
void world_stall(struct world *world, int64_t duration_ms);

bool world_opine(struct world *world, size_t sentinel, const struct opinion *opinion);
