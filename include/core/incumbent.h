/* Stage 1 of the decision: who is the incumbent, the one node that may be up in the master pools.
 */
#pragma once

#include <stdbool.h>

struct shard;

/**
 * Evaluates the rows over all claimants; the first row that matches exactly one of them admits it.
 * Updates the shard's incumbent and its `tie`. True: somebody was admitted.
 */
bool incumbent_choose(struct shard *shard);

/** True once each node has answered or is unreachable, or somebody was admitted: silence is over.
 */
bool incumbent_start_is_over(struct shard *shard);
