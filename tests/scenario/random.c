/*
 * Random timelines of a group without Sentinel: up to five faults among three or four nodes, and an
 * operator (or a failover tool that the agent does not hear) who promotes, re-attaches and errs.
 */
#include "random.h"

#include <stdio.h>

#include "world.h"

#define FAULTS_MAX 5
#define START_MS   1000

enum happening {
	HAPPEN_DIE,
	HAPPEN_RESTART,
	HAPPEN_RESTART_SAVED,
	HAPPEN_RESTART_EMPTY,
	HAPPEN_FREEZE,
	HAPPEN_THAW,
	HAPPEN_PROMOTE,
	HAPPEN_PROMOTE_QUIETLY,
	HAPPEN_FOLLOW,
	HAPPEN_LINK_DOWN,
	HAPPEN_LINK_UP,
	HAPPEN_LINK_MUTE,
	HAPPEN_BUSY,
	HAPPEN_DENY,
	HAPPEN_LOAD,
	HAPPEN_RECOVER,
	HAPPEN_FAIL_OVER,
	HAPPEN_RENEW,
	HAPPEN_STALL,
	HAPPEN_COUNT,
};

static const char *const names[HAPPEN_COUNT] = {
	"dies",
	"restarts",
	"restarts saved",
	"restarts empty",
	"freezes",
	"thaws",
	"promoted",
	"promoted quietly",
	"follows",
	"link down",
	"link up",
	"link mute",
	"busy",
	"denies",
	"loads",
	"recovers",
	"fails over",
	"renews its history",
	"stalls the agent",
};

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

/* As Sentinel does it: promote, and a second later point the others at the new master. */
static void fail_over(struct world *world, int node, int64_t *now_ms)
{
	struct sim *sim = &world->sim;

	if (sim->nodes[node].health != SIM_WELL || sim->nodes[node].master)
		return;
	sim_promote(sim, node, true);
	world_notice(world);
	*now_ms += 960;
	world_run(world, *now_ms);
	for (size_t i = 0; i < sim->count; i++)
		if ((int)i != node && sim->nodes[i].health == SIM_WELL && !sim->nodes[i].master)
			sim_follow(sim, (int)i, node);
}

static void change_link(struct sim *sim, enum happening what, int node)
{
	const struct sim_node *it = &sim->nodes[node];

	if (it->health != SIM_WELL || it->master)
		return;
	if (what == HAPPEN_LINK_MUTE && it->link_up)
		sim_mute_link(sim, node);
	else if (what != HAPPEN_LINK_MUTE && sim->nodes[it->follows].health == SIM_WELL)
		sim_set_link(sim, node, what == HAPPEN_LINK_UP);
}

/* Only what can happen to a node as it stands. */
static void happen(struct world *world, enum happening what, int node, int other, int64_t *now_ms)
{
	struct sim *sim = &world->sim;
	struct sim_node *it = &sim->nodes[node];

	switch (what) {
	case HAPPEN_DIE:
		sim_die(sim, node);
		break;
	case HAPPEN_RESTART:
	case HAPPEN_RESTART_SAVED:
	case HAPPEN_RESTART_EMPTY:
		if (it->health == SIM_DEAD)
			sim_restart(sim, node, (enum sim_data)(what - HAPPEN_RESTART));
		break;
	case HAPPEN_FREEZE:
		sim_freeze(sim, node);
		break;
	case HAPPEN_THAW:
		sim_thaw(sim, node);
		break;
	case HAPPEN_PROMOTE:
	case HAPPEN_PROMOTE_QUIETLY:
		if (it->health == SIM_WELL)
			sim_promote(sim, node, what == HAPPEN_PROMOTE);
		break;
	case HAPPEN_FOLLOW:
		if (it->health == SIM_WELL && other != node)
			sim_follow(sim, node, other);
		break;
	case HAPPEN_LINK_DOWN:
	case HAPPEN_LINK_UP:
	case HAPPEN_LINK_MUTE:
		change_link(sim, what, node);
		break;
	case HAPPEN_BUSY:
	case HAPPEN_DENY:
	case HAPPEN_LOAD:
	case HAPPEN_RECOVER:
		it->busy = what == HAPPEN_BUSY || (it->busy && what != HAPPEN_RECOVER);
		it->denied = what == HAPPEN_DENY || (it->denied && what != HAPPEN_RECOVER);
		it->loading = what == HAPPEN_LOAD || (it->loading && what != HAPPEN_RECOVER);
		break;
	case HAPPEN_FAIL_OVER:
		fail_over(world, node, now_ms);
		break;
	case HAPPEN_RENEW:
		if (it->master && it->health == SIM_WELL)
			sim_renew(sim, node);
		break;
	case HAPPEN_STALL:
		world_stall(world, 600);
		break;
	case HAPPEN_COUNT:
		break;
	}
	world_notice(world);
}

static void start(struct world *world, uint64_t *random)
{
	struct shard_policy policy = world_default_policy();

	world->sim.count = 2 + draw(random, 3);
	for (size_t i = 0; i < world->sim.count; i++)
		snprintf(world->sim.nodes[i].name, sizeof(world->sim.nodes[i].name), "%c",
			 (char)('a' + i));
	sim_start_master(&world->sim, 0);
	for (size_t i = 1; i < world->sim.count; i++)
		sim_follow(&world->sim, (int)i, 0);
	world->random = *random;
	world_start(world, &policy, 0, START_MS);
}

bool random_play(uint64_t seed, bool trace)
{
	uint64_t random = seed * 0x9E3779B97F4A7C15u + 1;
	struct world world = { .trace = trace };
	int64_t now_ms = START_MS;
	uint64_t faults;

	start(&world, &random);
	faults = 1 + draw(&random, FAULTS_MAX);
	for (uint64_t i = 0; i < faults && !world.error[0]; i++) {
		enum happening what = (enum happening)draw(&random, HAPPEN_COUNT);
		int node = (int)draw(&random, world.sim.count);
		int other = (int)draw(&random, world.sim.count);

		/* Close together as often as far apart. */
		now_ms += (int64_t)(draw(&random, 2) ? draw(&random, 60) : draw(&random, 4000));
		world_run(&world, now_ms);
		if (trace)
			printf("  %6lld  %s %s\n", (long long)now_ms, world.sim.nodes[node].name,
			       names[what]);
		happen(&world, what, node, other, &now_ms);
	}
	world_run(&world, now_ms + 8000);
	if (world.error[0])
		fprintf(stderr, "seed %llu, at %lld ms: %s\n", (unsigned long long)seed,
			(long long)world.now_ms, world.error);
	world_done(&world);
	return !world.error[0];
}
