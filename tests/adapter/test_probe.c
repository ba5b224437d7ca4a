/* What the prober asks, when, and what it tells of the answers; fakes answer. */
#include "io/probe.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake_redis.h"
#include "harness.h"
#include "watch_probe.h"

static void test_steady_state(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 20);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	assert_int_equal(watch.last.info_reply, REPLY_OK);
	assert_int_equal(watch.last.ping_reply, REPLY_OK);
	assert_int_equal(watch.last.info.role, INFO_ROLE_MASTER);
	assert_string_equal(watch.last.peer, "127.0.0.1");
	assert_true(watch.last.at_ms >= watch.last.sent_ms);
	assert_int_equal(fake.seen[FAKE_INFO], 3);
	harness_run(harness, 400);
	/* 20 rounds at most, and the first; a slow machine may skip some. */
	assert_in_range(watch.answered, 10, 22);
	assert_int_equal(watch.refused + watch.missed + watch.reconnected, 0);
	assert_int_equal(probe_connections(watch.probe), 1);
	assert_int_equal(fake.connections, 1);
	assert_int_equal(fake.seen[FAKE_INFO], 3);
	assert_in_range(fake.seen[FAKE_PING], watch.answered, watch.answered + 1);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_asks_for_persistence_while_loading(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	size_t sections;

	watch_start_with_fake(&watch, &fake, harness, 10);
	fake.replies[FAKE_INFO] = "$13\r\nloading:1\r\n\r\n\r\n";
	fake.replies[FAKE_PING] = "-LOADING Redis is loading the dataset in memory\r\n";
	HARNESS_WAIT(harness, watch.answered >= 3, 1000);
	assert_int_equal(watch.last.ping_reply, REPLY_LOADING);
	assert_int_equal(watch.last.info.loading, 1);
	assert_in_range(fake.seen[FAKE_INFO], 5, fake.seen[FAKE_PING] + 3);
	fake.replies[FAKE_INFO] = "$13\r\nloading:0\r\n\r\n\r\n";
	fake.replies[FAKE_PING] = "+PONG\r\n";
	HARNESS_WAIT(harness, watch.last.info.loading == 0, 1000);
	HARNESS_WAIT(harness, fake.seen[FAKE_PING] > 5, 1000);
	harness_run(harness, 30);
	sections = fake.seen[FAKE_INFO];
	harness_run(harness, 50);
	assert_int_equal(fake.seen[FAKE_INFO], sections);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

/* Deeper than any hiredis takes. */
#define TWO(s)	s s
#define FOUR(s) s s s s

/* Errors and nonsense are answers; what they are worth, the core decides. */
static const struct reply_case {
	const char *replication, *ping;
	enum reply_class info_reply, ping_reply;
} reply_cases[] = {
	{ "-NOAUTH Authentication required.\r\n", "-NOAUTH x\r\n", REPLY_NO_ACCESS,
	  REPLY_NO_ACCESS },
	{ "-BUSY Redis is busy\r\n", "-BUSY x\r\n", REPLY_BUSY, REPLY_BUSY },
	{ "-LOADING x\r\n", "-LOADING x\r\n", REPLY_LOADING, REPLY_LOADING },
	{ "$0\r\n\r\n", "-MASTERDOWN x\r\n", REPLY_OK, REPLY_MASTERDOWN },
	{ "*2\r\n:1\r\n$3\r\nabc\r\n", "+PONG\r\n", REPLY_OTHER_ERROR, REPLY_OK },
	{ "HTTP/1.1 400\r\n", "", REPLY_OTHER_ERROR, REPLY_OTHER_ERROR },
	{ TWO(FOUR(FOUR(FOUR(FOUR(FOUR("*1\r\n")))))) ":1\r\n", "", REPLY_OTHER_ERROR,
	  REPLY_OTHER_ERROR },
};

static void test_error_replies(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	for (size_t i = 0; i < sizeof(reply_cases) / sizeof(reply_cases[0]); i++) {
		const struct reply_case *want = &reply_cases[i];

		watch_start_with_fake(&watch, &fake, harness, FAR_MS);
		fake.replies[FAKE_REPLICATION] = want->replication;
		fake.replies[FAKE_PING] = want->ping;
		HARNESS_WAIT(harness, watch_count(&watch), 1000);
		if (watch.answered != 1 || watch.last.info_reply != want->info_reply ||
		    watch.last.ping_reply != want->ping_reply)
			fail_msg("%zu: answered %zu, info %d, ping %d", i, watch.answered,
				 (int)watch.last.info_reply, (int)watch.last.ping_reply);
		prober_free(watch.prober);
		fake_redis_done(&fake);
	}
}

static void test_asks_all_again_when_let_in(void **state)
{
	struct harness *harness = *state;
	struct prober *prober = prober_new(&harness->loop);
	static struct fake_redis fake;
	static struct watch watch;
	char address[64];

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.replies[FAKE_AUTH] = "-WRONGPASS invalid\r\n";
	fake.replies[FAKE_REPLICATION] = "-NOAUTH needed\r\n";
	snprintf(address, sizeof(address), "127.0.0.1:%u", fake.port);
	watch_add(&watch, prober, address, "secret", 10, TIMEOUT_MS);
	HARNESS_WAIT(harness, watch.answered >= 3, 1000);
	assert_int_equal(watch.last.info_reply, REPLY_NO_ACCESS);
	assert_in_range(fake.seen[FAKE_AUTH], 3, 5);
	fake.replies[FAKE_AUTH] = "+OK\r\n";
	fake.replies[FAKE_REPLICATION] = "$13\r\nrole:master\r\n\r\n";
	HARNESS_WAIT(harness, watch.last.info_reply == REPLY_OK, 1000);
	assert_int_equal(watch.last.info.role, INFO_ROLE_MASTER);
	assert_int_equal(fake.connections, 1);
	prober_free(prober);
	fake_redis_done(&fake);
}

/* Named, with Redis' own words, and once. */
static void test_refused_info_is_logged(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	struct caught_log log;
	char line[128];

	caught_log_start(&log);
	watch_start_with_fake(&watch, &fake, harness, 10);
	fake.replies[FAKE_REPLICATION] = "-NOPERM no 'info'\r\n";
	HARNESS_WAIT(harness, watch.answered >= 5, 1000);
	snprintf(line, sizeof(line),
		 "node does not let the agent read INFO address=127.0.0.1:%u "
		 "error=\"NOPERM no 'info'\"\n",
		 fake.port);
	assert_int_equal(caught_log_count(&log, line), 1);
	fake.replies[FAKE_REPLICATION] = "-LOADING x\r\n";
	HARNESS_WAIT(harness, watch.last.info_reply == REPLY_LOADING, 1000);
	fake.replies[FAKE_REPLICATION] = "$13\r\nrole:master\r\n\r\n";
	HARNESS_WAIT(harness, watch.last.info_reply == REPLY_OK, 1000);
	assert_int_equal(caught_log_count(&log, "lets the agent read INFO"), 1);
	assert_int_equal(caught_log_count(&log, "read INFO"), 2);
	caught_log_stop(&log);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

/* An array without end, in pieces that are each in order. */
static void test_flood_is_cut_and_given_a_pause(void **state)
{
	struct harness *harness = *state;
	static const char piece[] = { ':', '1', '\r', '\n' };
	char *much = mem_calloc(sizeof(piece) * 16384 + 1, 1);
	static struct fake_redis fake;
	static struct watch watch;
	int64_t end_ms;

	for (size_t i = 0; i < 16384; i++)
		memcpy(much + sizeof(piece) * i, piece, sizeof(piece));
	watch_start_with_fake(&watch, &fake, harness, 200);
	fake.replies[FAKE_REPLICATION] = "*2000000000\r\n";
	fake.replies[FAKE_PING] = NULL;
	HARNESS_WAIT(harness, fake.seen[FAKE_PING] == 1, 1000);
	end_ms = clock_mono_ms() + 10000;
	while (!watch.answered && clock_mono_ms() < end_ms) {
		fake_redis_say(&fake, much);
		harness_run(harness, 1);
	}
	assert_int_equal(watch.answered, 1);
	assert_int_equal(watch.last.info_reply, REPLY_OTHER_ERROR);
	/* Not at once: after the interval, less up to a quarter. */
	harness_run(harness, 50);
	assert_int_equal(fake.connections, 1);
	prober_free(watch.prober);
	fake_redis_done(&fake);
	free(much);
}

/* Protected mode and a full house: an error, then the end. */
static void test_turned_away_is_no_access(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 20);
	fake.greeting = "-DENIED Redis is running in protected mode\r\n";
	fake.close_at_once = true;
	HARNESS_WAIT(harness, watch_count(&watch) >= 2, 1000);
	assert_int_equal(watch.answered, watch_count(&watch));
	assert_int_equal(watch.last.info_reply, REPLY_NO_ACCESS);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_unasked_reply_is_a_protocol_error(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	fake_redis_say(&fake, "+surprise\r\n");
	HARNESS_WAIT(harness, watch.answered == 2, 1000);
	assert_int_equal(watch.last.info_reply, REPLY_OTHER_ERROR);
	assert_true(watch.last.new_connection);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_interval_changes_within_observe(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	size_t answered;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	watch.set_interval_ms = 10;
	HARNESS_WAIT(harness, watch.answered == 10, 500);
	watch.set_interval_ms = FAR_MS;
	HARNESS_WAIT(harness, watch.answered == 11, 500);
	answered = watch.answered;
	probe_set_interval(watch.probe, 10);
	assert_int_equal(watch.answered, answered);
	HARNESS_WAIT(harness, watch.answered > answered + 2, 500);
	assert_int_equal(probe_connections(watch.probe), 1);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_shorter_interval_hastens_a_retry(void **state)
{
	struct harness *harness = *state;
	static struct watch watch;

	watch_start(&watch, harness, harness_free_port(), FAR_MS);
	HARNESS_WAIT(harness, watch.refused == 1, 100);
	probe_set_interval(watch.probe, 10);
	HARNESS_WAIT(harness, watch.refused == 3, 200);
	prober_free(watch.prober);
}

/* Removal and the end of all, within an observation of each kind. */
static void check_gone_within_observe(struct harness *harness, enum observation_outcome outcome,
				      bool whole)
{
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 20);
	fake.hold = outcome == OBSERVATION_MISSED;
	if (outcome == OBSERVATION_REFUSED)
		fake_redis_stop_listening(&fake);
	watch.remove = !whole;
	watch.free = whole;
	HARNESS_WAIT(harness, watch_count(&watch) == 1, 1000);
	assert_int_equal(watch.last.outcome, outcome);
	harness_run(harness, 60);
	assert_int_equal(watch_count(&watch), 1);
	if (!whole)
		prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_gone_within_observe(void **state)
{
	static const enum observation_outcome outcomes[] = { OBSERVATION_ANSWERED,
							     OBSERVATION_REFUSED,
							     OBSERVATION_MISSED };

	for (size_t i = 0; i < 3; i++) {
		check_gone_within_observe(*state, outcomes[i], false);
		check_gone_within_observe(*state, outcomes[i], true);
	}
}

static void test_two_hundred_probes(void **state)
{
	enum { PROBES = 200 };
	struct harness *harness = *state;
	struct prober *prober = prober_new(&harness->loop);
	struct watch *watches = mem_calloc(PROBES, sizeof(*watches));
	static struct fake_redis fake;
	size_t answered = 0;
	char address[64];

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	snprintf(address, sizeof(address), "localhost:%u", fake.port);
	for (size_t i = 0; i < PROBES; i++)
		watch_add(&watches[i], prober, address, NULL, 100, FAR_MS);
	for (size_t i = 0; i < PROBES; i++)
		HARNESS_WAIT(harness, watches[i].answered, 10000);
	harness_run(harness, 500);
	for (size_t i = 0; i < PROBES; i++) {
		answered += watches[i].answered;
		assert_int_equal(probe_connections(watches[i].probe), 1);
	}
	assert_in_range(answered, PROBES * 3, PROBES * 12);
	prober_free(prober);
	fake_redis_done(&fake);
	free(watches);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_steady_state),
		CASE(test_asks_for_persistence_while_loading),
		CASE(test_error_replies),
		CASE(test_asks_all_again_when_let_in),
		CASE(test_refused_info_is_logged),
		CASE(test_flood_is_cut_and_given_a_pause),
		CASE(test_turned_away_is_no_access),
		CASE(test_unasked_reply_is_a_protocol_error),
		CASE(test_interval_changes_within_observe),
		CASE(test_shorter_interval_hastens_a_retry),
		CASE(test_gone_within_observe),
		CASE(test_two_hundred_probes),
	};

	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
