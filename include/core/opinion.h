/* What one Sentinel says of a shard, asked in one pipeline and taken as one fact. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Which node it names: an index into the shard's nodes, or one of these. */
#define OPINION_NOBODY	 (-1) /* it knows no such master */
#define OPINION_STRANGER (-2) /* an address that is no member */

struct opinion {
	int node;		   /* from GET-MASTER-ADDR-BY-NAME, matched to a member */
	int64_t epoch;		   /* its config epoch for the shard */
	bool failover_in_progress; /* it shows a failover-state before reconf_slaves */
	bool master_down;	   /* it flags the master s_down or o_down */
	bool tilt;		   /* it is in tilt: its answers are old news */
	int64_t at_ms;		   /* when the answer was seen (monotonic) */
};
