/*
 * The book of answers: each verdict's text, the table of names, and the handover: over a long
 * random walk no asker that comes regularly may ever believe two masters up.
 */
#include "core/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/askers.h"

#define NODES 3

static const char *const node_names[NODES] = { "n1", "n2", "n3" };

static const struct pool_policy master_policy = { .role = POOL_MASTER, .weights = true };
static const struct pool_policy master_weight_policy = { .role = POOL_MASTER,
							 .standby = STANDBY_WEIGHT };
static const struct pool_policy replica_policy = { .role = POOL_REPLICA, .weights = true };
static const struct pool_policy replica_plain_policy = { .role = POOL_REPLICA };

static struct answers *new_book(int64_t wait_ms, const struct pool_policy *policy,
				const char *const *nodes)
{
	struct answers *answers = answers_new(wait_ms);
	size_t first = answers_add_pool(answers, &(struct answers_pool){ .backend = "bk",
									 .policy = policy,
									 .nodes = nodes,
									 .node_count = NODES });

	assert_int_equal(first, 0);
	return answers;
}

static struct verdict make_verdict(enum verdict_state state)
{
	static const enum reason reasons[] = {
		[VERDICT_UNKNOWN] = REASON_NOT_YET,  [VERDICT_UP] = REASON_MASTER,
		[VERDICT_DRAIN] = REASON_LINK_DOWN,  [VERDICT_STANDBY] = REASON_REPLICA,
		[VERDICT_DOWN] = REASON_UNREACHABLE,
	};

	return (struct verdict){
		.state = state, .reason = reasons[state], .weight = 100, .peer = -1
	};
}

/* @states: one letter a node, of "?uxsd" (unknown, up, drain, standby, down), 'r': down, refused.
 */
static void publish(struct answers *answers, const char *states, int64_t now_ms)
{
	static const char letters[] = "?uxsd";
	struct verdict verdicts[NODES];

	for (size_t i = 0; i < NODES; i++) {
		const char *letter = strchr(letters, states[i]);

		verdicts[i] = make_verdict(letter ? (enum verdict_state)(letter - letters)
						  : VERDICT_DOWN);
		verdicts[i].dead = states[i] == 'r';
	}
	answers_publish(answers, 0, verdicts, now_ms);
}

static const char *fetch(struct answers *answers, size_t line, uint64_t source, int64_t now_ms)
{
	size_t length = 12345;
	const char *text = answers_fetch(answers, line, source, now_ms, &length);

	assert_int_equal(length, text ? strlen(text) : 0);
	return text ? text : "";
}

static void assert_text(const struct answers *answers, size_t line, const char *expected)
{
	const char *text = answers_peek(answers, line);

	assert_string_equal(text ? text : "", expected);
}

struct text_case {
	const struct pool_policy *policy;
	struct verdict verdict;
	const char *expected;
};

static const struct text_case text_cases[] = {
	{ &master_policy, { VERDICT_UP, REASON_MASTER, 100, false, false, -1 }, "up # master\n" },
	{ &master_policy,
	  { VERDICT_UP, REASON_SILENT, 100, true, false, -1 },
	  "up # held: silent\n" },
	{ &master_weight_policy,
	  { VERDICT_UP, REASON_MASTER, 100, false, false, -1 },
	  "up 100% # master\n" },
	{ &master_policy,
	  { VERDICT_STANDBY, REASON_REPLICA, 0, false, false, 1 },
	  "stopped # replica of n2\n" },
	{ &master_weight_policy,
	  { VERDICT_STANDBY, REASON_REPLICA, 0, false, false, 1 },
	  "up 0% # replica of n2\n" },
	{ &master_policy,
	  { VERDICT_DOWN, REASON_UNREACHABLE, 0, false, true, -1 },
	  "down # unreachable\n" },
	{ &master_policy,
	  { VERDICT_DOWN, REASON_SECOND_MASTER, 0, true, false, -1 },
	  "down # held: second-master\n" },
	{ &master_policy, { VERDICT_UNKNOWN, REASON_NOT_YET, 0, false, false, -1 }, "" },
	{ &replica_policy,
	  { VERDICT_UP, REASON_FRESH, 100, false, false, -1 },
	  "up 100% # fresh\n" },
	{ &replica_policy,
	  { VERDICT_UP, REASON_LEAST_BAD, 10, false, false, 2 },
	  "up 10% # least-bad of n3\n" },
	{ &replica_plain_policy,
	  { VERDICT_UP, REASON_FRESH, 100, false, false, -1 },
	  "up # fresh\n" },
	{ &replica_policy,
	  { VERDICT_DRAIN, REASON_LINK_DOWN, 0, false, false, -1 },
	  "up 0% # link-down\n" },
	{ &replica_policy,
	  { VERDICT_DRAIN, REASON_BUSY, 0, true, false, -1 },
	  "up 0% # held: busy\n" },
	/* The weight is the operator's: an agent that set it to 0 could not set it back. */
	{ &replica_plain_policy,
	  { VERDICT_DRAIN, REASON_LINK_DOWN, 0, false, false, -1 },
	  "stopped # link-down\n" },
	{ &replica_policy,
	  { VERDICT_STANDBY, REASON_MASTER, 0, false, false, -1 },
	  "stopped # master\n" },
	/* Nonsense from above is no reason to read beyond the nodes. */
	{ &replica_policy,
	  { VERDICT_DOWN, REASON_FOREIGN, 0, false, false, NODES },
	  "down # foreign\n" },
};

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		const struct text_case *row = &text_cases[i];
		struct answers *answers = new_book(0, row->policy, node_names);
		struct verdict verdicts[NODES] = { row->verdict, make_verdict(VERDICT_UNKNOWN),
						   make_verdict(VERDICT_UNKNOWN) };

		assert_true(answers_is_pending(answers, 0));
		assert_text(answers, 0, "");
		answers_publish(answers, 0, verdicts, 1000);
		assert_text(answers, 0, row->expected);
		assert_string_equal(fetch(answers, 0, 1, 1000), row->expected);
		/* Worth waiting for, until more than "not yet" is said. */
		assert_int_equal(answers_is_pending(answers, 0),
				 row->verdict.reason == REASON_NOT_YET);
		answers_free(answers);
	}
}

/* Each state and reason with a very long name: short, one line, a space before '#', no word that
 * undoes an operator's maintenance. */
static void check_grammar(const char *text)
{
	size_t length = strlen(text);

	assert_in_range(length, 1, 99);
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	assert_non_null(strstr(text, " # "));
	assert_int_not_equal(strncmp(text, "ready", 5), 0);
	assert_int_not_equal(strncmp(text, "drain", 5), 0);
	assert_int_not_equal(strncmp(text, "maint", 5), 0);
}

static void test_text_is_always_short(void **state)
{
	char name[400];
	const char *const names[NODES] = { name, "b", "c" };

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = VERDICT_UP; i <= VERDICT_DOWN; i++) {
		for (int reason = 0; reason < REASON_COUNT; reason++) {
			struct answers *answers = new_book(0, &replica_policy, names);
			struct verdict verdict = { (enum verdict_state)i,
						   (enum reason)reason,
						   100,
						   reason % 2 == 0,
						   false,
						   0 };
			struct verdict verdicts[NODES] = { verdict, verdict, verdict };

			answers_publish(answers, 0, verdicts, 1);
			check_grammar(answers_peek(answers, 0));
			answers_free(answers);
		}
	}
}

#define MANY 20000

static void test_find(void **state)
{
	struct answers *answers = answers_new(0);
	char name[32], query[64];
	const char *nodes[] = { name };
	size_t line = 77;

	(void)state;
	assert_false(answers_find(answers, "bk/n1", 5, &line));
	for (size_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "node%zu", i);
		assert_int_equal(
			answers_add_pool(answers,
					 &(struct answers_pool){ "bk", &replica_policy, nodes, 1 }),
			i);
	}
	for (size_t i = 0; i < MANY; i++) {
		size_t length = (size_t)snprintf(query, sizeof(query), "bk/node%zuX", i) - 1;

		assert_true(answers_find(answers, query, length, &line));
		assert_int_equal(line, i);
		line = 77;
		assert_false(answers_find(answers, query, length + 1, &line));
		assert_int_equal(line, 77);
	}
	assert_false(answers_find(answers, "bk/node", 7, &line));
	assert_false(answers_find(answers, "", 0, &line));
	assert_false(answers_find(answers, "bk/node1\0", 9, &line));
	answers_free(answers);
}

static void test_pools_are_apart(void **state)
{
	struct answers *answers = new_book(0, &master_policy, node_names);
	struct verdict up = make_verdict(VERDICT_UP);
	size_t second = answers_add_pool(
		answers, &(struct answers_pool){ "other", &replica_policy, node_names, NODES });

	(void)state;
	publish(answers, "usd", 5);
	answers_publish(answers, second, (struct verdict[]){ up, up, up }, 5);
	assert_text(answers, 0, "up # master\n");
	assert_text(answers, 1, "stopped # replica\n");
	assert_text(answers, 2, "down # unreachable\n");
	for (size_t i = 0; i < NODES; i++)
		assert_text(answers, second + i, "up 100% # master\n");
	answers_free(answers);
}

/* The asker came each @period_ms, up to @last_ms. */
static void poll_lines(struct answers *answers, uint64_t source, int64_t from_ms, int64_t last_ms,
		       int64_t period_ms)
{
	for (int64_t now = from_ms; now <= last_ms; now += period_ms) {
		for (size_t i = 0; i < NODES; i++)
			fetch(answers, i, source, now);
	}
}

struct handover_case {
	int64_t wait_ms;     /* configured */
	int64_t period_ms;   /* of the asker; 0: nobody asks */
	int64_t expected_ms; /* after the old one's close; 0: at once */
};

static const struct handover_case handover_cases[] = {
	{ ANSWERS_AUTO, 0, 0 },
	{ ANSWERS_AUTO, 200, 220 },
	{ ANSWERS_AUTO, 1000, 1020 },
	{ ANSWERS_AUTO, 2000, 2020 },
	{ ANSWERS_AUTO, 5000, 2020 },
	{ 300, 0, 320 },
	{ 300, 200, 320 },
	{ 0, 200, 0 },
};

static void test_handover_waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(handover_cases) / sizeof(handover_cases[0]); i++) {
		const struct handover_case *row = &handover_cases[i];
		struct answers *answers = new_book(row->wait_ms, &master_policy, node_names);

		publish(answers, "uss", 0);
		assert_text(answers, 0, "up # master\n");
		if (row->period_ms)
			poll_lines(answers, 1, 0, 20000, row->period_ms);
		publish(answers, "dus", 20000);
		assert_text(answers, 0, "down # unreachable\n");
		if (row->expected_ms) {
			assert_text(answers, 1, "stopped # held: handover\n");
			assert_int_equal(answers_deadline_ms(answers), 20000 + row->expected_ms);
			answers_tick(answers, 20000 + row->expected_ms - 1);
			assert_text(answers, 1, "stopped # held: handover\n");
			publish(answers, "dus", 20000 + row->expected_ms - 1);
			assert_text(answers, 1, "stopped # held: handover\n");
		}
		answers_tick(answers, 20000 + row->expected_ms);
		assert_text(answers, 1, "up # master\n");
		assert_true(answers_deadline_ms(answers) == INT64_MAX);
		answers_free(answers);
	}
}

static void test_handover_in_weight_style(void **state)
{
	struct answers *answers = new_book(100, &master_weight_policy, node_names);

	(void)state;
	publish(answers, "uss", 0);
	publish(answers, "dus", 1000);
	assert_text(answers, 1, "up 0% # held: handover\n");
	/* A publish at or after the time opens as well as a tick. */
	publish(answers, "dus", 1120);
	assert_text(answers, 1, "up 100% # master\n");
	answers_free(answers);
}

static void test_handover_from_the_dead(void **state)
{
	struct answers *answers = new_book(500, &master_policy, node_names);

	(void)state;
	publish(answers, "uss", 0);
	publish(answers, "dus", 1000);
	assert_text(answers, 1, "stopped # held: handover\n");
	publish(answers, "rus", 1010);
	assert_text(answers, 1, "up # master\n");
	/* The old one comes back to life: who is open stays open. */
	publish(answers, "dus", 1020);
	assert_text(answers, 1, "up # master\n");
	answers_free(answers);
}

static void test_handover_is_level_triggered(void **state)
{
	struct answers *answers = new_book(500, &master_policy, node_names);

	(void)state;
	publish(answers, "uss", 0);
	publish(answers, "dus", 1000);
	/* The shard changed its mind: the old one opens again at once, for no other was open. */
	publish(answers, "uss", 1100);
	assert_text(answers, 0, "up # master\n");
	assert_text(answers, 1, "stopped # replica\n");
	assert_true(answers_deadline_ms(answers) == INT64_MAX ||
		    answers_deadline_ms(answers) == 1520);
	answers_tick(answers, 1520);
	assert_text(answers, 1, "stopped # replica\n");
	/* To the third by way of the second, which never opened: only the first one's close counts.
	 */
	publish(answers, "dus", 2000);
	publish(answers, "ddu", 2300);
	assert_text(answers, 2, "stopped # held: handover\n");
	assert_int_equal(answers_deadline_ms(answers), 2520);
	answers_tick(answers, 2520);
	assert_text(answers, 2, "up # master\n");
	answers_free(answers);
}

static void test_silence_does_not_open_two(void **state)
{
	struct answers *answers = new_book(500, &master_policy, node_names);

	(void)state;
	publish(answers, "uss", 0);
	publish(answers, "?ss", 1000);
	assert_text(answers, 0, "");
	/* Askers still believe the first one up; it is closed before the second opens. */
	publish(answers, "?us", 2000);
	assert_text(answers, 0, "stopped # held: handover\n");
	assert_text(answers, 1, "stopped # held: handover\n");
	answers_tick(answers, 2520);
	assert_text(answers, 0, "");
	assert_text(answers, 1, "up # master\n");
	/* What closed a line is told until all have heard it, whatever becomes of the node. */
	publish(answers, "?ds", 3000);
	publish(answers, "??s", 3001);
	assert_text(answers, 1, "down # unreachable\n");
	answers_tick(answers, answers_deadline_ms(answers));
	assert_text(answers, 1, "");
	answers_free(answers);
}

static void test_too_many_askers(void **state)
{
	struct answers *answers = new_book(ANSWERS_AUTO, &master_policy, node_names);

	(void)state;
	publish(answers, "uss", 0);
	for (uint64_t source = 0; source <= ASKERS_MAX; source++)
		poll_lines(answers, source, (int64_t)source, 1000, 100);
	publish(answers, "dus", 1000);
	assert_int_equal(answers_deadline_ms(answers), 3020);
	answers_tick(answers, 3020);
	/* Ten seconds later all but one are forgotten. */
	poll_lines(answers, 1, 3020, 20000, 100);
	publish(answers, "sdu", 20000);
	assert_in_range(answers_deadline_ms(answers), 20120, 20140);
	answers_free(answers);
}

static void test_asker_seen_once(void **state)
{
	struct answers *answers = new_book(ANSWERS_AUTO, &master_policy, node_names);

	(void)state;
	publish(answers, "uss", 0);
	fetch(answers, 0, 1, 10);
	publish(answers, "dus", 100);
	assert_int_equal(answers_deadline_ms(answers), 2120);
	answers_free(answers);
}

/*
 * The random walk. Askers fetch each line with a period and a phase of their own, up to a few ms
 * late, and keep what they heard last, as HAProxy does. No asker may ever believe two lines up.
 */
#define ASKERS	4
#define STEPS	100000
#define LATE_MS 10

struct walker {
	int64_t period_ms;
	int64_t next_ms[NODES]; /* when each line is fetched next */
	int fetched[NODES];
	bool believes_up[NODES];
};

struct walk {
	struct answers *answers;
	struct walker askers[ASKERS];
	uint64_t random;
	int64_t now_ms;
	unsigned long handovers;
	int last_up;
};

static uint64_t random_below(struct walk *walk, uint64_t limit)
{
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 7;
	walk->random ^= walk->random << 17;
	return walk->random % limit;
}

static void walk_fetch(struct walk *walk, size_t number, size_t line)
{
	struct walker *asker = &walk->askers[number];
	const char *text = fetch(walk->answers, line, number + 1, walk->now_ms);

	asker->fetched[line]++;
	asker->next_ms[line] += asker->period_ms + (int64_t)random_below(walk, LATE_MS);
	if (text[0])
		asker->believes_up[line] = strncmp(text, "up #", 4) == 0;
}

static void walk_check(struct walk *walk)
{
	size_t told = 0;

	for (size_t line = 0; line < NODES; line++) {
		const char *text = answers_peek(walk->answers, line);

		told += text && strncmp(text, "up #", 4) == 0;
	}
	if (told > 1)
		fail_msg("%zu lines say up at %lld", told, (long long)walk->now_ms);
	for (size_t i = 0; i < ASKERS; i++) {
		const struct walker *asker = &walk->askers[i];
		int believed =
			asker->believes_up[0] + asker->believes_up[1] + asker->believes_up[2];

		if (believed > 1)
			fail_msg("asker %zu (each %lld ms) believes %d up at %lld", i,
				 (long long)asker->period_ms, believed, (long long)walk->now_ms);
	}
}

static void walk_publish(struct walk *walk)
{
	static const char *const pictures[] = { "uss", "sus", "ssu", "dus", "sdu", "uds",
						"ddd", "sss", "?us", "s?u", "u??", "???",
						"sd?", "??u", "xsu", "?ux", "dsu", "u?s",
						"??d", "s??", "uus", "suu" };
	const char *picture = pictures[random_below(walk, sizeof(pictures) / sizeof(pictures[0]))];
	const char *up = strchr(picture, 'u');

	publish(walk->answers, picture, walk->now_ms);
	if (up && up - picture != walk->last_up) {
		walk->handovers++;
		walk->last_up = (int)(up - picture);
	}
}

/* Calm stretches, so that a master does open, and storms. */
static int64_t walk_pause_ms(struct walk *walk)
{
	return (int64_t)random_below(walk, random_below(walk, 3) == 0 ? 6000 : 300);
}

static int64_t walk_next_ms(const struct walk *walk, int64_t until_ms)
{
	int64_t next_ms = until_ms;

	if (answers_deadline_ms(walk->answers) < next_ms)
		next_ms = answers_deadline_ms(walk->answers);
	for (size_t i = 0; i < ASKERS; i++) {
		for (size_t line = 0; line < NODES; line++) {
			if (walk->askers[i].next_ms[line] < next_ms)
				next_ms = walk->askers[i].next_ms[line];
		}
	}
	return next_ms;
}

static void walk_until(struct walk *walk, int64_t until_ms)
{
	while ((walk->now_ms = walk_next_ms(walk, until_ms)) < until_ms) {
		answers_tick(walk->answers, walk->now_ms);
		for (size_t i = 0; i < ASKERS; i++) {
			for (size_t line = 0; line < NODES; line++) {
				if (walk->askers[i].next_ms[line] == walk->now_ms)
					walk_fetch(walk, i, line);
			}
		}
		walk_check(walk);
	}
}

static void walk_once(uint64_t seed, int64_t wait_ms, unsigned long steps,
		      unsigned long *ret_handovers, unsigned long *ret_up_fetches)
{
	static const int64_t periods[ASKERS] = { 50, 200, 1000, 2000 };
	struct walk walk = { .random = seed, .now_ms = 1, .last_up = -1 };

	walk.answers = new_book(wait_ms, &master_policy, node_names);
	for (size_t i = 0; i < ASKERS; i++) {
		walk.askers[i].period_ms = periods[i];
		for (size_t line = 0; line < NODES; line++)
			walk.askers[i].next_ms[line] =
				1 + (int64_t)random_below(&walk, (uint64_t)periods[i]);
	}
	walk_until(&walk, 4500); /* each line asked for twice */
	for (unsigned long step = 0; step < steps; step++) {
		walk_publish(&walk);
		walk_check(&walk);
		walk_until(&walk, walk.now_ms + walk_pause_ms(&walk));
		for (size_t i = 0; i < NODES; i++)
			*ret_up_fetches += walk.askers[1].believes_up[i];
	}
	*ret_handovers += walk.handovers;
	answers_free(walk.answers);
}

static void test_random_walk(void **state)
{
	unsigned long handovers = 0, up = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		walk_once(seed * 0x9e3779b97f4a7c15U, seed % 2 ? ANSWERS_AUTO : 2000, STEPS / 20,
			  &handovers, &up);
	/* A book that never opened anything would pass the checks. */
	assert_true(handovers > STEPS / 4);
	assert_true(up > STEPS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_is_always_short),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_pools_are_apart),
		cmocka_unit_test(test_handover_waits),
		cmocka_unit_test(test_handover_in_weight_style),
		cmocka_unit_test(test_handover_from_the_dead),
		cmocka_unit_test(test_handover_is_level_triggered),
		cmocka_unit_test(test_silence_does_not_open_two),
		cmocka_unit_test(test_too_many_askers),
		cmocka_unit_test(test_asker_seen_once),
		cmocka_unit_test(test_random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
