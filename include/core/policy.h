/* What an operator may choose about the decision. Defaults and bounds stand in the option table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pool_role { POOL_MASTER, POOL_REPLICA };

/** May the master serve reads in a replica pool? */
enum reads_on_master { READS_NEVER, READS_FALLBACK, READS_ALWAYS };

/** With nothing fit and no master: the best that is left, or nobody. */
enum panic { PANIC_LEAST_BAD, PANIC_NONE };

/** How a healthy node that is not wanted in a master pool is shown to HAProxy. */
enum standby { STANDBY_DOWN, STANDBY_WEIGHT };

/** Of a shard; durations in milliseconds. */
struct shard_policy {
	int64_t interval_ms;		/* between two probes of a node */
	int64_t timeout_ms;		/* of one probe */
	int64_t transition_interval_ms; /* between two probes while something is changing */
	int64_t fall;			/* time-outs in a row until a node is unreachable */
	int64_t tilt_ms;		/* hold after our own view was disturbed */
	int64_t orphan_confirm_ms;	/* a restarted master waits this long */
	int64_t link_grace_ms;		/* a replica's link may be down or silent this long */
	int64_t orphan_grace_ms;	/* … when the node that it follows is gone */
	int64_t no_master_after_ms;	/* nobody up for so long is an alarm */
	int64_t start_ms; /* how long to wait for Sentinels at the start; 0 where none is heard */
};

/** Of a pool. */
struct pool_policy {
	enum pool_role role;
	enum standby standby;
	bool weights;	     /* the agent sets the weights in this pool */
	int64_t min_readers; /* replica pools: keep at least so many open while any can serve */
	enum reads_on_master reads_on_master;
	int64_t master_weight; /* percent */
	int64_t min_weight;    /* percent */
	enum panic panic;
};
