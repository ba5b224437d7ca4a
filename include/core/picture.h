/* The picture: what is wanted of each node in each pool of a shard. Always the whole, never a
 * difference. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/reason.h"

enum verdict_state {
	VERDICT_UNKNOWN, /* say nothing: HAProxy keeps what it has */
	VERDICT_UP,	 /* takes traffic, at `weight` percent */
	VERDICT_DRAIN,	 /* no new connections; those it has stay. Never HAProxy's own drain */
	VERDICT_STANDBY, /* healthy, but not wanted in this pool */
	VERDICT_DOWN,	 /* closed, and its sessions cut */
};

struct verdict {
	enum verdict_state state;
	enum reason reason;
	int weight; /* percent, when VERDICT_UP */
	bool held;  /* state and weight repeat the last verdict; `reason` says why nothing newer is
		       said */
	bool dead;  /* the node refuses connections: nobody can be writing there */
	int peer;   /* the node that the reason speaks of ("replica of b"), or -1 */
};

/** Conditions of a shard that want a person's eye; bits. */
enum picture_alarm {
	ALARM_TIE = 1 << 0,	      /* several masters and nothing to choose by */
	ALARM_SECOND_MASTER = 1 << 1, /* a node beside the master says master */
	ALARM_NO_MASTER = 1 << 2,   /* nobody has been up in the master pools for no_master_after */
	ALARM_NO_ACCESS = 1 << 3,   /* a node does not let us in */
	ALARM_TILT = 1 << 4,	    /* our own view was disturbed */
	ALARM_UNSUPPORTED = 1 << 5, /* a node that is no Redis master or replica */
};

struct picture {
	size_t pools, nodes;
	struct verdict *verdicts; /* of node n in pool p at [p * nodes + n] */
	int incumbent;		  /* node index, or -1 */
	enum reason admitted_by;  /* the row that admitted the incumbent */
	unsigned int alarms;	  /* picture_alarm bits */
	bool complete;		  /* each node has answered, or was given up once */
};

struct verdict *picture_at(const struct picture *picture, size_t pool, size_t node);

/** "unknown", "up", "drain", "standby", "down" */
const char *verdict_state_name(enum verdict_state state);

/** True if the two say the same to HAProxy and to people. */
bool verdict_equal(const struct verdict *a, const struct verdict *b);
