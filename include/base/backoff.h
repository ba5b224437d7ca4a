/* Waiting longer after each failure, with jitter so that many peers do not come back in step. */
#pragma once

#include <stdint.h>

struct backoff {
	int64_t min_ms, max_ms;
	int64_t next_ms;
	uint64_t random; /* state of the jitter's generator, never 0 */
};

/** Starts at @min_ms, doubles up to @max_ms. @seed: any number, different for each peer. */
void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, uint64_t seed);

/** The next wait in ms: the current step, less up to a quarter by chance; the step then doubles. */
int64_t backoff_next_ms(struct backoff *backoff);

/** Back to the first step, after a success. */
void backoff_reset(struct backoff *backoff);
