/* What the Sentinels together say: who counts, for how long, and what a majority is. */
#include "core/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW 100000
#define SILENT                         \
	{                              \
		.node = OPINION_NOBODY \
	}
#define NOBODY	 OPINION_NOBODY
#define STRANGER OPINION_STRANGER

/* An opinion of node @n at epoch @e, @age ms old. */
#define SAYS(n, e, age)                                         \
	{                                                       \
		.node = (n), .epoch = (e), .at_ms = NOW - (age) \
	}

static const struct authority_case {
	const char *what;
	size_t count;
	struct opinion opinions[5];
	bool known, all_answer;
	int64_t epoch;
	int majority;
	int64_t next_change_ms;
} cases[] = {
	{ "no Sentinel", 0, { SILENT }, false, false, -1, NOBODY, INT64_MAX },
	{ "none has spoken", 3, { { 0 }, { 0 }, { 0 } }, true, false, -1, NOBODY, INT64_MAX },
	{ "one is all", 1, { SAYS(2, 0, 10) }, true, true, 0, 2, NOW + 2990 },
	{ "all agree",
	  3,
	  { SAYS(1, 5, 10), SAYS(1, 5, 20), SAYS(1, 5, 0) },
	  true,
	  true,
	  5,
	  1,
	  NOW + 2980 },
	{ "two of three",
	  3,
	  { SAYS(1, 5, 10), SILENT, SAYS(1, 5, 30) },
	  true,
	  false,
	  5,
	  1,
	  NOW + 2970 },
	{ "one of three is no majority of the known",
	  3,
	  { SAYS(1, 5, 10), SILENT, SILENT },
	  true,
	  false,
	  5,
	  NOBODY,
	  NOW + 2990 },
	{ "two of four are none",
	  4,
	  { SAYS(1, 5, 0), SAYS(1, 5, 0), SILENT, SILENT },
	  true,
	  false,
	  5,
	  NOBODY,
	  NOW + 3000 },
	{ "three of four are one",
	  4,
	  { SAYS(1, 5, 0), SAYS(1, 5, 0), SILENT, SAYS(1, 5, 0) },
	  true,
	  false,
	  5,
	  1,
	  NOW + 3000 },
	{ "two of two", 2, { SAYS(0, 1, 0), SAYS(0, 1, 0) }, true, true, 1, 0, NOW + 3000 },
	{ "one of two is none", 2, { SAYS(0, 1, 0), SILENT }, true, false, 1, NOBODY, NOW + 3000 },
	{ "two against one at the same epoch",
	  3,
	  { SAYS(0, 5, 0), SAYS(1, 5, 0), SAYS(1, 5, 0) },
	  true,
	  true,
	  5,
	  1,
	  NOW + 3000 },
	{ "one above the others: no majority at the highest epoch",
	  3,
	  { SAYS(0, 5, 0), SAYS(0, 5, 0), SAYS(1, 6, 0) },
	  true,
	  true,
	  6,
	  NOBODY,
	  NOW + 3000 },
	{ "the same node named, but at different epochs",
	  3,
	  { SAYS(1, 6, 0), SAYS(1, 5, 0), SAYS(1, 5, 0) },
	  true,
	  true,
	  6,
	  NOBODY,
	  NOW + 3000 },
	{ "the lower epoch gives way",
	  3,
	  { SAYS(0, 5, 0), SAYS(1, 6, 0), SAYS(1, 6, 0) },
	  true,
	  true,
	  6,
	  1,
	  NOW + 3000 },
	{ "each names another",
	  3,
	  { SAYS(0, 5, 0), SAYS(1, 5, 0), SAYS(2, 5, 0) },
	  true,
	  true,
	  5,
	  NOBODY,
	  NOW + 3000 },
	{ "an address that is no member",
	  3,
	  { SAYS(STRANGER, 7, 0), SAYS(STRANGER, 7, 0), SAYS(0, 6, 0) },
	  true,
	  true,
	  7,
	  STRANGER,
	  NOW + 3000 },
	{ "they know no such master",
	  3,
	  { SAYS(NOBODY, 7, 0), SAYS(NOBODY, 7, 0), SILENT },
	  true,
	  false,
	  7,
	  NOBODY,
	  NOW + 3000 },
	{ "2999 ms old counts, 3000 does not",
	  3,
	  { SAYS(1, 5, 2999), SAYS(1, 5, 3000), SAYS(1, 5, 9000) },
	  true,
	  false,
	  5,
	  NOBODY,
	  NOW + 1 },
	{ "a high epoch that lapsed does not outrank",
	  3,
	  { SAYS(0, 9, 3000), SAYS(1, 5, 0), SAYS(1, 5, 0) },
	  true,
	  false,
	  5,
	  1,
	  NOW + 3000 },
	{ "in tilt: old news, at any epoch",
	  3,
	  { { .node = 0, .epoch = 9, .tilt = true, .at_ms = NOW }, SAYS(1, 5, 0), SAYS(1, 5, 0) },
	  true,
	  false,
	  5,
	  1,
	  NOW + 3000 },
	{ "two in tilt leave no majority",
	  3,
	  { { .node = 1, .epoch = 5, .tilt = true, .at_ms = NOW },
	    { .node = 1, .epoch = 5, .tilt = true, .at_ms = NOW },
	    SAYS(1, 5, 0) },
	  true,
	  false,
	  5,
	  NOBODY,
	  NOW + 3000 },
};

static void check(const struct authority_case *c, const struct authority *is)
{
	if (is->known != c->known || is->all_answer != c->all_answer || is->epoch != c->epoch ||
	    is->majority != c->majority || is->next_change_ms != c->next_change_ms)
		fail_msg("%s: known %d all %d epoch %lld majority %d next %lld, not %d %d %lld %d "
			 "%lld",
			 c->what, is->known, is->all_answer, (long long)is->epoch, is->majority,
			 (long long)is->next_change_ms, c->known, c->all_answer,
			 (long long)c->epoch, c->majority, (long long)c->next_change_ms);
}

/* The order of the Sentinels is of no account: each case is judged turned round too. */
static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct authority_case *c = &cases[i];

		for (size_t turn = 0; turn < c->count + 1; turn++) {
			struct opinion opinions[5];
			struct authority is;

			for (size_t o = 0; o < c->count; o++)
				opinions[o] = c->opinions[(o + turn) % c->count];
			is = authority_judge(opinions, c->count, NOW);
			check(c, &is);
		}
	}
}

static void test_flags(void **state)
{
	struct opinion opinions[] = { SAYS(0, 1, 0), SAYS(0, 1, 0), SAYS(0, 1, 0) };
	struct authority is = authority_judge(opinions, 3, NOW);

	(void)state;
	assert_false(is.failover || is.master_down);
	opinions[1].failover_in_progress = true;
	opinions[2].master_down = true;
	is = authority_judge(opinions, 3, NOW);
	assert_true(is.failover && is.master_down);
	/* What one says that does not count is not heard. */
	opinions[1].tilt = true;
	opinions[2].at_ms = NOW - AUTHORITY_OPINION_MS;
	is = authority_judge(opinions, 3, NOW);
	assert_false(is.failover || is.master_down);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests_name("core/authority", tests, NULL, NULL);
}
