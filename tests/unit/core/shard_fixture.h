/* A shard of three nodes and six pools, and observations made by hand: for the tests of core/shard.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/authority.h"
#include "core/shard.h"

enum { A, B, C, NODES };
enum { WRITE, READ, NEVER, ALWAYS, TWO, NONE, POOLS };

#define START 100000

static const struct shard_policy policy = {
	.interval_ms = 200,
	.timeout_ms = 500,
	.transition_interval_ms = 10,
	.fall = 3,
	.tilt_ms = 2000,
	.orphan_confirm_ms = 2000,
	.link_grace_ms = 5000,
	.orphan_grace_ms = 60000,
};

#define READERS(reads, readers, when_nothing_fits)                                          \
	{                                                                                   \
		.role = POOL_REPLICA, .reads_on_master = (reads), .min_readers = (readers), \
		.master_weight = 70, .min_weight = 10, .panic = (when_nothing_fits)         \
	}

static const struct pool_policy pools[POOLS] = {
	[WRITE] = { .role = POOL_MASTER },
	[READ] = READERS(READS_FALLBACK, 1, PANIC_LEAST_BAD),
	[NEVER] = READERS(READS_NEVER, 1, PANIC_LEAST_BAD),
	[ALWAYS] = READERS(READS_ALWAYS, 1, PANIC_LEAST_BAD),
	[TWO] = READERS(READS_FALLBACK, 2, PANIC_LEAST_BAD),
	[NONE] = READERS(READS_FALLBACK, 1, PANIC_NONE),
};

static inline struct shard *new_shard(size_t sentinels)
{
	static const struct shard_node_setup nodes[NODES] = {
		{ "a", "10.0.0.1", 6379 },
		{ "b", "redis-b", 6379 },
		{ "c", "10.0.0.3", 6379 },
	};

	return shard_new(&(struct shard_setup){ .policy = policy,
						.nodes = nodes,
						.node_count = NODES,
						.pools = pools,
						.pool_count = POOLS,
						.sentinel_count = sentinels },
			 START);
}

static inline struct observation answer(int node, enum info_role role)
{
	struct observation observation = { .outcome = OBSERVATION_ANSWERED,
					   .info_reply = REPLY_OK,
					   .ping_reply = REPLY_OK };
	struct info *info = &observation.info;

	info_init(info);
	info->role = role;
	info->offset = 500;
	info->second_offset = -1;
	snprintf(info->run_id, sizeof(info->run_id), "run-%d", node);
	snprintf(info->replid, sizeof(info->replid), "history");
	snprintf(observation.peer, sizeof(observation.peer), "10.0.0.%d", node + 1);
	return observation;
}

static inline struct observation master(int node)
{
	return answer(node, INFO_ROLE_MASTER);
}

static inline struct observation replica(int node, const char *host)
{
	struct observation observation = answer(node, INFO_ROLE_REPLICA);
	struct info *info = &observation.info;

	snprintf(info->master_host, sizeof(info->master_host), "%s", host);
	info->master_port = 6379;
	info->link_up = 1;
	info->last_io_s = 0;
	info->sync_in_progress = 0;
	info->replica_offset = 500;
	return observation;
}

static inline struct observation cut_off(int node, const char *host, int64_t offset)
{
	struct observation observation = replica(node, host);

	observation.info.link_up = 0;
	observation.info.link_down_s = 0;
	observation.info.replica_offset = offset;
	return observation;
}

static inline struct observation promoted(int node)
{
	struct observation observation = master(node);
	struct info *info = &observation.info;

	snprintf(info->replid, sizeof(info->replid), "history-of-%d", node);
	snprintf(info->replid2, sizeof(info->replid2), "history");
	info->second_offset = 501;
	return observation;
}

static inline struct observation failed(enum observation_outcome outcome)
{
	return (struct observation){ .outcome = outcome };
}

/* A deadline lies ahead, whatever came in. */
static inline void check_deadline(const struct shard *shard, int64_t now_ms)
{
	if (shard_deadline_ms(shard) <= now_ms)
		fail_msg("at %lld the deadline is %lld", (long long)now_ms,
			 (long long)shard_deadline_ms(shard));
}

/* The round took a millisecond. */
static inline void observe(struct shard *shard, int node, int64_t now_ms,
			   struct observation observation)
{
	observation.sent_ms = now_ms - 1;
	observation.at_ms = now_ms;
	shard_observe(shard, (size_t)node, &observation, now_ms);
	check_deadline(shard, now_ms);
}

static inline void tick(struct shard *shard, int64_t now_ms)
{
	shard_tick(shard, now_ms);
	check_deadline(shard, now_ms);
}

#define assert_verdict(shard, pool, node, expected_state, expected_reason) \
	check_verdict(shard, pool, node, expected_state, expected_reason, __LINE__)

static inline void check_verdict(const struct shard *shard, int pool, int node,
				 enum verdict_state state, enum reason reason, int line)
{
	const struct verdict *is = picture_at(shard_picture(shard), (size_t)pool, (size_t)node);

	if (is->state != state || is->reason != reason)
		fail_msg("line %d: node %d in pool %d is %s (%s), not %s (%s)", line, node, pool,
			 verdict_state_name(is->state), reason_token(is->reason),
			 verdict_state_name(state), reason_token(reason));
}

static inline void assert_incumbent(const struct shard *shard, int node)
{
	assert_int_equal(shard_picture(shard)->incumbent, node);
}

static inline void observe_group(struct shard *shard, int64_t now_ms)
{
	observe(shard, A, now_ms, master(A));
	observe(shard, B, now_ms, replica(B, "10.0.0.1"));
	observe(shard, C, now_ms, replica(C, "10.0.0.1"));
}

static inline struct shard *new_running(size_t sentinels)
{
	struct shard *shard = new_shard(sentinels);

	observe_group(shard, START + 1);
	assert_incumbent(shard, A);
	return shard;
}

static inline void tick_until(struct shard *shard, int64_t until_ms)
{
	while (shard_deadline_ms(shard) <= until_ms)
		tick(shard, shard_deadline_ms(shard));
}

/* An answer grows old at its deadline: 3 intervals and a time-out. A hold, and no more. */
