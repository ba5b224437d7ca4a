/* The wheel against the plain truth: what was put for a tick comes at the first turn that reaches
 * it, once, and the next tick is never named too late. */
#include "io/wheel_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENTRIES 50
#define TURNS	20000

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static void test_next_tick(void **state)
{
	static const int64_t ticks[] = { 101, 163, 164, 1023, 1024, 1025, 1123, 1124 };
	struct wheel_entry entry = { 0 };
	struct wheel_ring ring;

	(void)state;
	wheel_ring_init(&ring, 100);
	assert_true(wheel_ring_next_tick(&ring) == WHEEL_NEVER);
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		wheel_ring_put(&ring, &entry, ticks[i]);
		assert_int_equal(wheel_ring_next_tick(&ring), ticks[i]);
	}
	wheel_ring_remove(&entry);
	assert_true(wheel_ring_next_tick(&ring) == WHEEL_NEVER);
	/* More than one turn ahead: early, never late. */
	wheel_ring_put(&ring, &entry, 5000);
	assert_in_range(wheel_ring_next_tick(&ring), 101, 5000);
}

static void test_past_and_present(void **state)
{
	struct wheel_entry entry = { 0 };
	struct wheel_ring ring;

	(void)state;
	wheel_ring_init(&ring, 2000);
	for (int64_t due = 2000; due >= 1990; due -= 5) {
		wheel_ring_put(&ring, &entry, due);
		assert_true(wheel_ring_next_tick(&ring) <= 2000);
		wheel_ring_turn(&ring, 2000);
		assert_ptr_equal(wheel_ring_pop(&ring), &entry);
		assert_null(wheel_ring_pop(&ring));
	}
}

static void test_removed_while_ready(void **state)
{
	struct wheel_entry entries[2] = { 0 };
	struct wheel_ring ring;

	(void)state;
	wheel_ring_init(&ring, 0);
	wheel_ring_put(&ring, &entries[0], 3);
	wheel_ring_put(&ring, &entries[1], 3);
	wheel_ring_turn(&ring, 4);
	assert_ptr_equal(wheel_ring_pop(&ring), &entries[0]);
	wheel_ring_remove(&entries[1]);
	assert_null(wheel_ring_pop(&ring));
}

/* Takes what is ready and puts it again; each must have been due, and nothing may be left over. */
static void take_all(struct wheel_ring *ring, struct wheel_entry *entries, int64_t now,
		     uint64_t *seed)
{
	struct wheel_entry *entry;

	while ((entry = wheel_ring_pop(ring))) {
		assert_true(entry->due_tick <= now);
		wheel_ring_put(ring, entry, now + 1 + (int64_t)(next_random(seed) % 3000));
	}
	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].due_tick <= now)
			fail_msg("due at %d, not seen at %d", (int)entries[i].due_tick, (int)now);
}

static void test_random_timeline(void **state)
{
	struct wheel_entry entries[ENTRIES] = { 0 };
	struct wheel_ring ring;
	uint64_t seed = 42;
	int64_t now = 7;

	(void)state;
	wheel_ring_init(&ring, now);
	for (size_t i = 0; i < ENTRIES; i++)
		wheel_ring_put(&ring, &entries[i], now + (int64_t)(next_random(&seed) % 3000));
	for (int turn = 0; turn < TURNS; turn++) {
		int64_t first = WHEEL_NEVER, named = wheel_ring_next_tick(&ring);

		for (size_t i = 0; i < ENTRIES; i++)
			if (entries[i].due_tick < first)
				first = entries[i].due_tick;
		if (named > first)
			fail_msg("named %d, due at %d", (int)named, (int)first);
		/* On time, or late after a stall of more than a whole turn. */
		now = turn % 100 == 99 ? now + 2500 : named;
		wheel_ring_turn(&ring, now);
		take_all(&ring, entries, now, &seed);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_tick),
		cmocka_unit_test(test_past_and_present),
		cmocka_unit_test(test_removed_while_ready),
		cmocka_unit_test(test_random_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
