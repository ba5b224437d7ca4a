/*
 * Who fetches one line of text, and how regularly: enough to tell how long it takes until everybody
 * has fetched a new one. It keeps the last few askers apart by a number and knows nothing else of
 * them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ASKERS_MAX	   8
#define ASKERS_MAX_WAIT_MS 2000 /* assumed where there is too little to go by, and never more */

struct asker {
	uint64_t source;
	int64_t last_ms;
	int64_t window;	   /* number of the half window that gap_ms[0] belongs to */
	int32_t gap_ms[2]; /* the longest between two fetches: in that half window, in the last */
	bool known;
	bool repeated; /* asked more than once: gap_ms means something */
};

/** All zero at the start. */
struct askers {
	struct asker slots[ASKERS_MAX];
	int64_t crowded_ms; /* when somebody found no slot, if `crowded` */
	bool crowded;
};

/** @source fetches the line now. */
void askers_note(struct askers *askers, uint64_t source, int64_t now_ms);

/** How long from now until each asker of the last 10 s will have come again; 0: there is none. */
int64_t askers_wait_ms(const struct askers *askers, int64_t now_ms);
