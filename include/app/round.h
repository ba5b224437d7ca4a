/* One round: watching just long enough to see every node once. What `probe` and `doctor` share. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "app/watch.h"
#include "config/settings.h"

struct round {
	uv_loop_t loop; /* the caller may run it on, before round_end */
	uv_timer_t patience;
	const struct settings *settings;
	struct watch *watch;
	bool over;
};

/**
 * Begins to watch and runs the loop until every shard is complete and has its master, or until a
 * silent node would have been given up. @settings must outlive the round.
 */
void round_run(struct round *round, const struct settings *settings);

/** Ends the watch and the loop; other handles of the loop must be closing. */
void round_end(struct round *round);
