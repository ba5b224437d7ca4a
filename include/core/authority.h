/* Authority: what the Sentinels together say of a shard. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/opinion.h"

struct authority {
	bool known;	  /* there are Sentinels */
	bool all_answer;  /* each of them counts now */
	bool failover;	  /* a counting one shows a failover in progress */
	bool master_down; /* a counting one holds the master for down */
	int64_t epoch;	  /* the highest among those that count; -1 none */
	int majority; /* the node that more than half of all known name at it, or OPINION_NOBODY */
	int64_t next_change_ms; /* when the first that counts now grows too old; INT64_MAX none */
};

/** An opinion counts while it is younger than this. */
#define AUTHORITY_OPINION_MS 3000

/** Judges @count opinions, one for each known Sentinel (at_ms 0: it said nothing yet), at @now_ms.
 */
struct authority authority_judge(const struct opinion *opinions, size_t count, int64_t now_ms);
