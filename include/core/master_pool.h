/* Stage 2 of the decision: what is said of each node in the master pools. */
#pragma once

#include <stdbool.h>

#include "core/picture.h"

struct member;
struct shard;

/** The verdict about @member; @previous is the one before, which a hold repeats. */
struct verdict master_pool_judge(struct shard *shard, const struct member *member,
				 const struct verdict *previous);

/** @previous again, held for @reason; with nothing to repeat, silence. */
struct verdict verdict_hold(const struct verdict *previous, enum reason reason);

/**
 * Why nothing new is known of @member: it was not heard yet, is busy, does not let us in, missed a
 * probe, or told nothing since our own view was disturbed. False: its facts are current.
 */
bool member_is_unclear(struct shard *shard, const struct member *member, enum reason *ret_reason);
