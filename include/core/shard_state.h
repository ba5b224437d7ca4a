/* The inside of a shard, shared by the files of core that decide on it; nobody else includes it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/authority.h"
#include "core/member.h"
#include "core/opinion.h"
#include "core/picture.h"
#include "core/policy.h"
#include "core/shard.h"

/** Who holds the office of the master. */
struct incumbent {
	int node;		   /* index, or -1: nobody was admitted yet */
	char run_id[INFO_ID_SIZE]; /* identity is node and run id */
	char replid[INFO_ID_SIZE]; /* its history, refreshed by each probe */
	int64_t master_ms;	   /* when it was last seen as master */
	int64_t offset;		   /* … and where it stood then; INFO_UNKNOWN if it did not say */
	int64_t admitted_ms;
	int64_t epoch; /* Sentinel's config epoch that it stands on; -1 lower than any */
	enum reason admitted_by;
};

struct shard {
	struct shard_policy policy;
	struct member *members;
	size_t member_count;
	struct pool_policy *pools;
	size_t pool_count;
	struct opinion *opinions; /* at_ms 0: none yet */
	size_t opinion_count;

	struct incumbent incumbent;
	bool tie; /* several claimants, nothing to choose by */
	int64_t start_ms;
	int64_t alone_ms;      /* the restarted incumbent has been the only claimant since; 0: no */
	int64_t no_master_ms;  /* nobody has been up in the master pools since; 0: somebody is */
	int64_t disturbed_ms;  /* our own view was last disturbed; 0 never */
	int64_t transition_ms; /* something is changing since; 0: nothing is */
	int64_t steady_ms;     /* … and nothing has changed since */

	int64_t now_ms;
	int64_t deadline_ms;
	struct authority authority; /* what the Sentinels say together, as of now */

	struct verdict *office; /* what the master pools say of each member */
	struct picture picture;
	struct verdict *previous; /* the verdicts before this evaluation */
	struct shard_change *changes;
	size_t change_count;
};

/** Asks for a tick at @at_ms, if that is still to come. */
static inline void shard_wake_at(struct shard *shard, int64_t at_ms)
{
	if (at_ms > shard->now_ms && at_ms < shard->deadline_ms)
		shard->deadline_ms = at_ms;
}

/** True once @since_ms lies @duration_ms back; asks for a tick at that moment. */
static inline bool shard_has_lasted(struct shard *shard, int64_t since_ms, int64_t duration_ms)
{
	shard_wake_at(shard, since_ms + duration_ms);
	return shard->now_ms - since_ms >= duration_ms;
}

/** Its last answer is young enough to be a fact. */
bool shard_is_fresh(const struct shard *shard, const struct member *member);

/**
 * Unreachable by what we know. A node that never answered, in a shard where nobody ever did, is
 * not: an agent that starts behind a closed firewall must not take a working site down.
 */
bool shard_is_out_of_reach(const struct shard *shard, const struct member *member);

/** A fresh, serving master with no missed probe that is not the incumbent (by identity). */
bool shard_is_claimant(const struct shard *shard, const struct member *member);

/** The member that a replica's INFO says it follows, or -1. */
int shard_find_followed(const struct shard *shard, const struct member *replica);

/** Follows the chain of masters from @replica upwards; the member where it ends, or -1. */
int shard_find_root(const struct shard *shard, const struct member *replica);

/** The incumbent's node now has another run id. */
bool shard_is_restarted(const struct shard *shard);

/** Our own view was disturbed and the member has told nothing since: its verdict is held. */
bool shard_is_tilted(const struct shard *shard, const struct member *member);
