/* The world of a timeline: probing like the agent's prober, and the invariants. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define RETRY_MS 200 /* between attempts at a node that refuses */

struct shard_policy world_default_policy(void)
{
	return (struct shard_policy){
		.interval_ms = 200,
		.timeout_ms = 500,
		.transition_interval_ms = 10,
		.fall = 3,
		.tilt_ms = 2000,
		.orphan_confirm_ms = 2000,
		.link_grace_ms = 5000,
		.orphan_grace_ms = 60000,
		.no_master_after_ms = 2000,
	};
}

static const struct pool_policy pools[WORLD_POOLS] = {
	{ .role = POOL_MASTER, .weights = true },
	{
		.role = POOL_REPLICA,
		.weights = true,
		.min_readers = 1,
		.reads_on_master = READS_FALLBACK,
		.master_weight = 100,
		.min_weight = 10,
		.panic = PANIC_LEAST_BAD,
	},
};

/* The other shard's number of a node: in reverse. */
static size_t mirrored(const struct world *world, size_t node)
{
	return world->sim.count - 1 - node;
}

static struct shard *new_shard(struct world *world, const struct shard_policy *policy,
			       size_t sentinels, bool mirror)
{
	struct shard_node_setup nodes[SIM_NODES];
	struct shard_setup setup = {
		.policy = *policy,
		.nodes = nodes,
		.node_count = world->sim.count,
		.pools = pools,
		.pool_count = WORLD_POOLS,
		.sentinel_count = sentinels,
	};

	for (size_t i = 0; i < world->sim.count; i++)
		nodes[mirror ? mirrored(world, i) : i] = (struct shard_node_setup){
			.name = world->sim.nodes[i].name,
			.host = world->sim.nodes[i].name,
			.port = 6379,
		};
	return shard_new(&setup, world->now_ms);
}

void world_start(struct world *world, const struct shard_policy *policy, size_t sentinels,
		 int64_t now_ms)
{
	world->now_ms = now_ms;
	world->incumbent = -1;
	world->shard = new_shard(world, policy, sentinels, false);
	world->mirror = new_shard(world, policy, sentinels, true);
	for (size_t i = 0; i < world->sim.count; i++)
		world->probes[i] = (struct world_probe){ .due_ms = now_ms };
}

void world_done(struct world *world)
{
	shard_free(world->shard);
	shard_free(world->mirror);
}

static uint64_t next_random(struct world *world)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return world->random;
}

#define FAIL(world, ...)                                                               \
	do {                                                                           \
		if (!(world)->error[0])                                                \
			snprintf((world)->error, sizeof((world)->error), __VA_ARGS__); \
	} while (0)

/* 1: in no picture are two nodes up in a master pool. */
static void check_one_master(struct world *world)
{
	const struct picture *picture = shard_picture(world->shard);
	size_t up = 0;

	for (size_t i = 0; i < picture->nodes; i++)
		up += picture_at(picture, 0, i)->state == VERDICT_UP;
	if (up > 1)
		FAIL(world, "invariant 1: %zu nodes are up in the master pool", up);
}

/* 2: up in a master pool only if the last answer says master, and serving. */
static void check_up_is_master(struct world *world)
{
	const struct picture *picture = shard_picture(world->shard);

	for (size_t i = 0; i < picture->nodes; i++) {
		const struct observation *last = &world->answered[i];

		if (picture_at(picture, 0, i)->state == VERDICT_UP &&
		    (last->info.role != INFO_ROLE_MASTER || last->info.loading == 1))
			FAIL(world, "invariant 2: %s is up, but did not say that it is a master",
			     world->sim.nodes[i].name);
	}
}

/* 3: what opens, opens by an answer of its own. */
static void check_opened_by_evidence(struct world *world)
{
	const struct picture *picture = shard_picture(world->shard);

	for (size_t p = 0; p < WORLD_POOLS; p++)
		for (size_t i = 0; i < picture->nodes; i++)
			if (picture_at(picture, p, i)->state == VERDICT_UP &&
			    world->was[p][i].state != VERDICT_UP && !world->was_answer[i])
				FAIL(world, "invariant 3: %s opened in pool %zu without an answer",
				     world->sim.nodes[i].name, p);
}

/* 4: while the incumbent answers as master, no other enters unless another replica followed it. */
static void check_entry(struct world *world, int was, int is)
{
	const struct observation *old = &world->answered[was];
	bool old_is_master = world->was_answer[was] && old->info.role == INFO_ROLE_MASTER;

	if (was != is && old_is_master &&
	    shard_picture(world->shard)->admitted_by != REASON_FOLLOWED &&
	    strcmp(old->info.run_id, world->admitted_run_id[(world->admissions - 1) % 8]) == 0)
		FAIL(world, "invariant 4: %s entered (%s) while %s was a living master",
		     world->sim.nodes[is].name,
		     reason_token(shard_picture(world->shard)->admitted_by),
		     world->sim.nodes[was].name);
}

/* 5: nobody comes back as what it was, unless its successor itself hands back. */
static void check_alternation(struct world *world, int is)
{
	const struct info *info = &world->answered[is].info;
	size_t first = world->admissions > 8 ? world->admissions - 8 : 0;

	if (shard_picture(world->shard)->admitted_by == REASON_HANDED_OVER)
		return;
	for (size_t i = first; i < world->admissions; i++)
		if (strcmp(world->admitted_run_id[i % 8], info->run_id) == 0 &&
		    strcmp(world->admitted_replid[i % 8], info->replid) == 0)
			FAIL(world, "invariant 5: %s was admitted twice as the same",
			     world->sim.nodes[is].name);
}

static void check_incumbent(struct world *world)
{
	int is = shard_picture(world->shard)->incumbent;
	const struct info *info;
	size_t last = (world->admissions - 1) % 8;

	if (is < 0)
		return;
	info = &world->answered[is].info;
	if (is == world->incumbent &&
	    shard_picture(world->shard)->admitted_by != REASON_RESTARTED_MASTER)
		return;
	if (is == world->incumbent &&
	    (strcmp(info->run_id, world->admitted_run_id[last]) == 0 ||
	     picture_at(shard_picture(world->shard), 0, (size_t)is)->state != VERDICT_UP))
		return;
	if (world->incumbent >= 0)
		check_entry(world, world->incumbent, is);
	check_alternation(world, is);
	memcpy(world->admitted_run_id[world->admissions % 8], info->run_id, INFO_ID_SIZE);
	memcpy(world->admitted_replid[world->admissions % 8], info->replid, INFO_ID_SIZE);
	world->admissions++;
	world->incumbent = is;
}

static bool could_serve_reads(const struct world *world, size_t node)
{
	const struct observation *last = &world->answered[node];

	return world->was_answer[node] && last->info.role == INFO_ROLE_REPLICA &&
	       last->info.loading != 1 && last->info.sync_in_progress != 1 &&
	       last->info.link_up == 1 && last->ping_reply == REPLY_OK;
}

/* 6: the read pool does not run dry while somebody could serve. */
static void check_readers(struct world *world)
{
	const struct picture *picture = shard_picture(world->shard);
	const char *able = NULL;
	size_t up = 0;

	for (size_t i = 0; i < picture->nodes; i++) {
		const struct verdict *master = picture_at(picture, 0, i);

		up += picture_at(picture, 1, i)->state == VERDICT_UP;
		if ((master->state == VERDICT_UP && !master->held) ||
		    (could_serve_reads(world, i) &&
		     picture_at(picture, 1, i)->reason != REASON_FOREIGN))
			able = world->sim.nodes[i].name;
	}
	if (picture->incumbent >= 0 && up == 0 && able && !(picture->alarms & ALARM_TILT))
		FAIL(world, "invariant 6: nobody serves reads, but %s could", able);
}

/* 8: the order of the nodes is of no account. */
static void check_mirror(struct world *world)
{
	const struct picture *picture = shard_picture(world->shard);
	const struct picture *other = shard_picture(world->mirror);

	for (size_t p = 0; p < WORLD_POOLS; p++)
		for (size_t i = 0; i < picture->nodes; i++) {
			struct verdict a = *picture_at(picture, p, i);
			struct verdict b = *picture_at(other, p, mirrored(world, i));

			a.peer = b.peer = -1;
			if (!verdict_equal(&a, &b))
				FAIL(world,
				     "invariant 8: the order of nodes changes the verdict on %s",
				     world->sim.nodes[i].name);
		}
	if (shard_deadline_ms(world->shard) != shard_deadline_ms(world->mirror))
		FAIL(world, "invariant 8: the order of nodes changes the deadline");
}

static void trace_changes(const struct world *world)
{
	static const char *const pool_names[] = { "write", "read" };
	const struct shard_change *changes;
	size_t count = shard_changes(world->shard, &changes);

	for (size_t i = 0; world->trace && i < count; i++)
		printf("  %6lld  %-5s %s: %s (%s) -> %s (%s)%s\n", (long long)world->now_ms,
		       pool_names[changes[i].pool], world->sim.nodes[changes[i].node].name,
		       verdict_state_name(changes[i].was.state),
		       reason_token(changes[i].was.reason), verdict_state_name(changes[i].is.state),
		       reason_token(changes[i].is.reason), changes[i].is.held ? " held" : "");
}

static void check_all(struct world *world)
{
	const struct picture *picture = shard_picture(world->shard);

	trace_changes(world);
	check_one_master(world);
	check_up_is_master(world);
	check_opened_by_evidence(world);
	check_incumbent(world);
	check_readers(world);
	check_mirror(world);
	for (size_t p = 0; p < WORLD_POOLS; p++)
		for (size_t i = 0; i < picture->nodes; i++)
			world->was[p][i] = *picture_at(picture, p, i);
}

/* 8: an input repeated changes nothing. */
static void check_repetition(struct world *world, size_t node)
{
	const struct shard_change *changes;

	shard_observe(world->shard, node, &world->probes[node].observation, world->now_ms);
	if (shard_changes(world->shard, &changes) != 0)
		FAIL(world, "invariant 8: an observation of %s repeated changes a verdict",
		     world->sim.nodes[node].name);
}

static void end_round(struct world *world, size_t node)
{
	struct world_probe *probe = &world->probes[node];
	const struct observation *observation = &probe->observation;
	bool good =
		observation->outcome == OBSERVATION_ANSWERED && observation->info_reply == REPLY_OK;

	probe->at_ms = 0;
	world->was_answer[node] = good;
	if (good)
		world->answered[node] = *observation;
	shard_observe(world->shard, node, observation, world->now_ms);
	shard_observe(world->mirror, mirrored(world, node), observation, world->now_ms);
	check_all(world);
	check_repetition(world, node);
	if (observation->outcome == OBSERVATION_REFUSED)
		probe->due_ms = world->now_ms + RETRY_MS;
	else
		probe->due_ms = observation->sent_ms + shard_probe_interval_ms(world->shard);
}

static void begin_round(struct world *world, size_t node)
{
	struct world_probe *probe = &world->probes[node];
	int64_t latency_ms = world->random ? (int64_t)(next_random(world) % 4) : 1;

	if (world->sim.nodes[node].health == SIM_FROZEN ||
	    world->sim.nodes[node].health == SIM_DARK)
		latency_ms = world_default_policy().timeout_ms;
	probe->at_ms = world->now_ms + latency_ms + (latency_ms == 0);
	sim_observe(&world->sim, (int)node, probe->at_ms, &probe->observation);
}

void world_notice(struct world *world)
{
	for (size_t i = 0; i < world->sim.count; i++) {
		if (!world->sim.nodes[i].broke)
			continue;
		world->probes[i].at_ms = 0;
		world->probes[i].due_ms = world->now_ms;
	}
}

void world_stall(struct world *world, int64_t duration_ms)
{
	world->stalled_until_ms = world->now_ms + duration_ms;
}

bool world_opine(struct world *world, size_t sentinel, const struct opinion *opinion)
{
	struct opinion mirror = *opinion;

	if (opinion->node >= 0)
		mirror.node = (int)mirrored(world, (size_t)opinion->node);
	shard_opine(world->shard, sentinel, opinion, world->now_ms);
	shard_opine(world->mirror, sentinel, &mirror, world->now_ms);
	check_all(world);
	return !world->error[0];
}

static int64_t next_event_ms(const struct world *world)
{
	int64_t next_ms = shard_deadline_ms(world->shard);

	for (size_t i = 0; i < world->sim.count; i++) {
		const struct world_probe *probe = &world->probes[i];
		int64_t due_ms = probe->at_ms ? probe->at_ms : probe->due_ms;

		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (next_ms < world->stalled_until_ms)
		next_ms = world->stalled_until_ms;
	return next_ms > world->now_ms ? next_ms : world->now_ms;
}

/* The transition's shorter interval brings due rounds forward. */
static void hurry(struct world *world, struct world_probe *probe)
{
	int64_t due_ms = world->now_ms + shard_probe_interval_ms(world->shard);

	if (!probe->at_ms && probe->observation.outcome != OBSERVATION_REFUSED &&
	    due_ms < probe->due_ms)
		probe->due_ms = due_ms;
}

static void step(struct world *world)
{
	sim_advance(&world->sim, world->now_ms);
	if (world->stalled_until_ms && world->now_ms >= world->stalled_until_ms) {
		world->stalled_until_ms = 0;
		shard_disturb(world->shard, world->now_ms);
		shard_disturb(world->mirror, world->now_ms);
		check_all(world);
	}
	for (size_t i = 0; i < world->sim.count; i++) {
		struct world_probe *probe = &world->probes[i];

		if (probe->at_ms && probe->at_ms <= world->now_ms)
			end_round(world, i);
		hurry(world, probe);
		if (!probe->at_ms && probe->due_ms <= world->now_ms)
			begin_round(world, i);
	}
	if (shard_deadline_ms(world->shard) <= world->now_ms) {
		shard_tick(world->shard, world->now_ms);
		shard_tick(world->mirror, world->now_ms);
		check_all(world);
	}
}

bool world_run(struct world *world, int64_t until_ms)
{
	for (;;) {
		int64_t next_ms = next_event_ms(world);

		if (world->error[0])
			return false;
		if (next_ms > until_ms)
			break;
		world->now_ms = next_ms;
		step(world);
	}
	world->now_ms = until_ms;
	sim_advance(&world->sim, until_ms);
	return true;
}
