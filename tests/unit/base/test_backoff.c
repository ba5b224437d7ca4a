/* Back-off: steps, jitter within a quarter, the upper bound, and peers that do not keep step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"

static void test_steps(void **state)
{
	static const int64_t steps[] = { 100, 200, 400, 800, 1000, 1000 };
	struct backoff backoff;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		backoff_init(&backoff, 100, 1000, seed);
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
			assert_in_range(backoff_next_ms(&backoff), steps[i] - steps[i] / 4,
					steps[i]);
		backoff_reset(&backoff);
		assert_in_range(backoff_next_ms(&backoff), 75, 100);
	}
}

static void test_jitter(void **state)
{
	int64_t low = INT64_MAX, high = 0;
	struct backoff backoff;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		int64_t wait_ms;

		backoff_init(&backoff, 1000, 1000, seed);
		wait_ms = backoff_next_ms(&backoff);
		low = wait_ms < low ? wait_ms : low;
		high = wait_ms > high ? wait_ms : high;
	}
	assert_in_range(low, 750, 780);
	assert_in_range(high, 970, 1000);
}

static void test_edges(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 1, INT64_MAX, UINT64_MAX);
	for (int i = 0; i < 80; i++)
		assert_true(backoff_next_ms(&backoff) > 0);
	assert_true(backoff_next_ms(&backoff) > INT64_MAX / 2);
	backoff_init(&backoff, 0, 0, 1);
	assert_int_equal(backoff_next_ms(&backoff), 0);
}

static void test_same_seed(void **state)
{
	struct backoff a, b;

	(void)state;
	backoff_init(&a, 1000, 60000, 42);
	backoff_init(&b, 1000, 60000, 42);
	for (int i = 0; i < 10; i++)
		assert_int_equal(backoff_next_ms(&a), backoff_next_ms(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_same_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
