/*
 * The decision for one shard (a master and its replicas): a deterministic state machine. Facts go
 * in by observe and opine, time by tick; the picture, the changes since the last picture and the
 * next deadline come out. Same inputs at the same times: same outputs. It does no I/O and reads no
 * clock; all times are the caller's monotonic milliseconds, and may not go back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/observation.h"
#include "core/opinion.h"
#include "core/picture.h"
#include "core/policy.h"

struct shard;

/** A node as the configuration names it. Strings are copied. */
struct shard_node_setup {
	const char *name;
	const char *host; /* as configured; "" for a Unix socket */
	uint16_t port;
};

struct shard_setup {
	struct shard_policy policy;
	const struct shard_node_setup *nodes;
	size_t node_count;
	const struct pool_policy *pools;
	size_t pool_count;
	size_t sentinel_count; /* how many Sentinels are known; they are numbered from 0 */
};

/** One verdict that is not what it was. */
struct shard_change {
	size_t pool, node;
	struct verdict was, is;
	int64_t fact_ms; /* when the facts about the node were seen; 0 never */
};

/** @now_ms is the agent's start for this shard. Free with shard_free. */
struct shard *shard_new(const struct shard_setup *setup, int64_t now_ms);
void shard_free(struct shard *shard);

/** A probe round of node @node ended. Its times must not be after @now_ms. */
void shard_observe(struct shard *shard, size_t node, const struct observation *observation,
		   int64_t now_ms);

/**
 * Node @node is at another address from now on, and may be another server there: what was known of
 * it is forgotten, and until it answers it counts as unreachable. If it holds the office it keeps
 * it, but a server with another run id is to it as one that was restarted.
 */
void shard_move(struct shard *shard, size_t node, const char *host, uint16_t port, int64_t now_ms);

/** Sentinel @sentinel said this. */
void shard_opine(struct shard *shard, size_t sentinel, const struct opinion *opinion,
		 int64_t now_ms);

/** The agent's loop stood still or its clock jumped: ages and misses start anew, verdicts are held.
 */
void shard_disturb(struct shard *shard, int64_t now_ms);

/** Time passed. To be called at the deadline, at the latest. */
void shard_tick(struct shard *shard, int64_t now_ms);

/** The picture as of the last call that took a time; owned by the shard, valid until the next. */
const struct picture *shard_picture(const struct shard *shard);

/** What that call changed; *ret_changes is owned by the shard and valid until the next. Returns how
 * many. */
size_t shard_changes(const struct shard *shard, const struct shard_change **ret_changes);

/** When to tick, if nothing else happens first; INT64_MAX: no need. */
int64_t shard_deadline_ms(const struct shard *shard);

/** How often its nodes are to be probed now: the interval, or the transition's. */
int64_t shard_probe_interval_ms(const struct shard *shard);

/** The last answered observation of @node, or NULL. Owned by the shard. */
const struct observation *shard_facts(const struct shard *shard, size_t node);
