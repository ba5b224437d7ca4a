/* What is said of each node in a replica pool: who is fit to be read from. */
#pragma once

#include "core/picture.h"
#include "core/policy.h"

struct shard;

/**
 * Judges the whole pool at once, so that the master steps in in the same round in which the last
 * reader leaves. @previous and @verdicts have one verdict a member; the master's own verdicts must
 * be judged already.
 */
void replica_pool_judge(struct shard *shard, const struct pool_policy *pool,
			const struct verdict *previous, struct verdict *verdicts);
