/* Exponential back-off with jitter. It owns its random numbers (xorshift64: jitter needs no more),
 * so that a test which knows the seed knows the waits. */
#include "base/backoff.h"

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, uint64_t seed)
{
	*backoff = (struct backoff){ .min_ms = min_ms, .max_ms = max_ms, .next_ms = min_ms };
	/* Small seeds (0, 1, 2 …) are spread over all bits; the generator's state is never 0. */
	backoff->random = (seed + 1) * 0x9e3779b97f4a7c15U;
	if (backoff->random == 0)
		backoff->random = 1;
}

static uint64_t next_random(struct backoff *backoff)
{
	uint64_t x = backoff->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	backoff->random = x;
	return x;
}

int64_t backoff_next_ms(struct backoff *backoff)
{
	int64_t step_ms = backoff->next_ms;
	uint64_t choices = (uint64_t)(step_ms / 4) + 1;

	backoff->next_ms = step_ms > backoff->max_ms / 2 ? backoff->max_ms : step_ms * 2;
	return step_ms - (int64_t)(next_random(backoff) % choices);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = backoff->min_ms;
}
