/*
 * Fuzzes the decision: bytes become observations, opinions, ticks and disturbances of a small
 * shard. After each the first two invariants must hold (one node up in a master pool at most; only
 * one whose last facts say master, and serving) and the deadline must lie ahead.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/shard.h"

#define NODES	  4
#define SENTINELS 3
#define START_MS  1000

enum { POOL_WRITE, POOL_READ, POOLS };

/* The bytes not yet used; zeros when there are no more. */
struct source {
	const uint8_t *data;
	size_t left;
};

struct play {
	struct shard *shard;
	int64_t now_ms;
	struct observation facts[NODES]; /* of the last answer with facts */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t take(struct source *source)
{
	if (source->left == 0)
		return 0;
	source->left--;
	return *source->data++;
}

static struct shard *new_shard(size_t sentinels)
{
	static const struct shard_node_setup nodes[NODES] = {
		{ "a", "a", 6379 }, { "b", "b", 6379 }, { "c", "c", 6379 }, { "d", "d", 6379 }
	};
	static const struct pool_policy pools[POOLS] = {
		{ .role = POOL_MASTER },
		{ .role = POOL_REPLICA,
		  .min_readers = 1,
		  .reads_on_master = READS_FALLBACK,
		  .master_weight = 100,
		  .min_weight = 10 },
	};
	struct shard_setup setup = {
		.policy = { .interval_ms = 200,
			    .timeout_ms = 500,
			    .transition_interval_ms = 10,
			    .fall = 3,
			    .tilt_ms = 2000,
			    .orphan_confirm_ms = 2000,
			    .link_grace_ms = 5000,
			    .orphan_grace_ms = 60000,
			    .start_ms = sentinels ? 2000 : 0 },
		.nodes = nodes,
		.node_count = NODES,
		.pools = pools,
		.pool_count = POOLS,
		.sentinel_count = sentinels,
	};

	return shard_new(&setup, START_MS);
}

/* Few values each, so that ids, hosts and offsets meet. */
static void take_info(struct source *source, struct info *info)
{
	uint8_t role = take(source), ids = take(source), link = take(source);

	info_init(info);
	info->role = (enum info_role)(role % 8 < 4 ? 1 + role % 2 : role % 4);
	info->loading = role / 8 % 8 == 7;
	info->sync_in_progress = role / 64 == 3;
	(void)snprintf(info->run_id, sizeof(info->run_id), "%.*s", ids % 4 != 3, "r");
	if (info->run_id[0])
		info->run_id[0] = (char)('0' + ids % 4);
	(void)snprintf(info->replid, sizeof(info->replid), "%d", ids / 4 % 4);
	if (ids / 16 % 4)
		(void)snprintf(info->replid2, sizeof(info->replid2), "%d", ids / 16 % 4);
	info->offset = (int64_t)(link / 32) * 100;
	info->replica_offset = (int64_t)(link / 64) * 100;
	info->second_offset = (int64_t)(ids / 64) * 100;
	info->master_host[0] = (char)('a' + link % 5);
	info->master_port = 6379;
	info->link_up = link / 5 % 3 ? 1 : 0;
	info->link_down_s = link % 3 - 1;
	info->last_io_s = link % 8;
}

static void observe(struct play *play, struct source *source, size_t node)
{
	static const enum reply_class replies[] = { REPLY_OK,	   REPLY_OK,
						    REPLY_OK,	   REPLY_OK,
						    REPLY_BUSY,	   REPLY_NO_ACCESS,
						    REPLY_LOADING, REPLY_OTHER_ERROR };
	uint8_t kind = take(source);
	struct observation observation = {
		.outcome = (enum observation_outcome)(kind % 8 < 5 ? 0 : kind % 8 % 3),
		.info_reply = replies[kind / 8 % 8],
		.ping_reply = kind / 64 == 3 ? REPLY_MASTERDOWN : REPLY_OK,
		.new_connection = kind / 64 == 2,
		.sent_ms = play->now_ms - kind % 4,
		.at_ms = play->now_ms,
	};

	info_init(&observation.info);
	if (observation.outcome == OBSERVATION_ANSWERED && observation.info_reply == REPLY_OK)
		take_info(source, &observation.info);
	if (observation.outcome == OBSERVATION_ANSWERED && observation.info_reply == REPLY_OK)
		play->facts[node] = observation;
	shard_observe(play->shard, node, &observation, play->now_ms);
}

static void opine(struct play *play, struct source *source, size_t sentinel)
{
	uint8_t what = take(source);
	struct opinion opinion = {
		.node = what % 8 - 2 < NODES ? what % 8 - 2 : OPINION_NOBODY,
		.epoch = what / 8 % 4,
		.failover_in_progress = what / 32 == 7,
		.master_down = what / 32 == 6,
		.tilt = what / 32 == 5,
		.at_ms = play->now_ms,
	};

	shard_opine(play->shard, sentinel, &opinion, play->now_ms);
}

static void check(const struct play *play)
{
	const struct picture *picture = shard_picture(play->shard);
	const struct shard_change *changes;
	size_t up = 0;

	for (size_t n = 0; n < NODES; n++) {
		const struct info *info = &play->facts[n].info;

		if (picture_at(picture, POOL_WRITE, n)->state != VERDICT_UP)
			continue;
		up++;
		require((int)n == picture->incumbent);
		require(info->role == INFO_ROLE_MASTER && info->loading != 1);
	}
	require(up <= 1);
	require(shard_changes(play->shard, &changes) <= (size_t)POOLS * NODES);
	require(shard_deadline_ms(play->shard) > play->now_ms);
}

static void step(struct play *play, struct source *source, size_t sentinels)
{
	uint8_t what = take(source), delay = take(source);

	/* From nothing to a minute. */
	play->now_ms += delay < 128 ? delay : (int64_t)(delay - 127) * (delay - 127) * 4;
	if (what % 16 < 11)
		observe(play, source, what / 16 % NODES);
	else if (what % 16 < 13 && sentinels)
		opine(play, source, what / 16 % SENTINELS);
	else if (what % 16 == 15)
		shard_disturb(play->shard, play->now_ms);
	else
		shard_tick(play->shard, play->now_ms);
	check(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = { data, size };
	size_t sentinels = take(&source) % 2 ? SENTINELS : 0;
	struct play play = { .shard = new_shard(sentinels), .now_ms = START_MS };

	while (source.left > 0)
		step(&play, &source, sentinels);
	shard_free(play.shard);
	return 0;
}
