/* Exponential back-off with jitter. It owns the state of its random numbers, so that a test which
 * knows the seed knows the waits. */
#include "base/backoff.h"

#include "base/random.h"

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, uint64_t seed)
{
	*backoff = (struct backoff){ .min_ms = min_ms, .max_ms = max_ms, .next_ms = min_ms };
	/* Small seeds (0, 1, 2 …) are spread over all bits; the generator's state is never 0. */
	backoff->random = (seed + 1) * 0x9e3779b97f4a7c15U;
	if (backoff->random == 0)
		backoff->random = 1;
}

int64_t backoff_next_ms(struct backoff *backoff)
{
	int64_t step_ms = backoff->next_ms;
	uint64_t choices = (uint64_t)(step_ms / 4) + 1;

	backoff->next_ms = step_ms > backoff->max_ms / 2 ? backoff->max_ms : step_ms * 2;
	return step_ms - (int64_t)(random_next(&backoff->random) % choices);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = backoff->min_ms;
}
