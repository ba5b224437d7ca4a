/* Marsaglia's xorshift64. Whoever knows the state knows the numbers: tests do, attackers gain
 * nothing by it. */
#include "base/random.h"

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}
