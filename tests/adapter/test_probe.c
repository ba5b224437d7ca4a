/* The prober against fakes that stall, cut and lie, and against a real redis-server. */
#include "io/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake_redis.h"
#include "harness.h"

#define FAR_MS 10000 /* an interval that never comes up within a test */

struct watch {
	struct probe *probe;
	struct prober *prober;
	size_t answered, refused, missed, reconnected;
	struct observation last;
	int64_t set_interval_ms; /* done within the next observation, if not 0 */
	bool remove, free;	 /* likewise */
};

static size_t count(const struct watch *watch)
{
	return watch->answered + watch->refused + watch->missed;
}

static void on_observation(void *context, const struct observation *observation)
{
	struct watch *watch = context;

	watch->last = *observation;
	watch->answered += observation->outcome == OBSERVATION_ANSWERED;
	watch->refused += observation->outcome == OBSERVATION_REFUSED;
	watch->missed += observation->outcome == OBSERVATION_MISSED;
	watch->reconnected += observation->new_connection;
	if (watch->set_interval_ms)
		probe_set_interval(watch->probe, watch->set_interval_ms);
	watch->set_interval_ms = 0;
	if (watch->remove)
		probe_remove(watch->probe);
	if (watch->free)
		prober_free(watch->prober);
}

static void add(struct watch *watch, struct prober *prober, const char *address,
		const char *password, int64_t interval_ms)
{
	struct probe_setup setup = {
		.password = password,
		.interval_ms = interval_ms,
		.timeout_ms = 100,
		.observe = on_observation,
		.context = watch,
	};

	*watch = (struct watch){ .prober = prober };
	assert_int_equal(address_parse(address, &setup.address), 0);
	watch->probe = probe_add(prober, &setup);
	assert_int_equal(count(watch), 0);
}

/* A prober of its own with one probe of 127.0.0.1:@port. */
static void start(struct watch *watch, struct harness *harness, uint16_t port, int64_t interval_ms)
{
	struct prober *prober = prober_new(&harness->loop);
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	add(watch, prober, address, NULL, interval_ms);
}

static void start_with_fake(struct watch *watch, struct fake_redis *fake, struct harness *harness,
			    int64_t interval_ms)
{
	fake_redis_start(fake, &harness->loop, "127.0.0.1");
	start(watch, harness, fake->port, interval_ms);
}

static void test_steady_state(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, 20);
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
	struct fake_redis fake;
	struct watch watch;
	size_t sections;

	start_with_fake(&watch, &fake, harness, 10);
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
	struct fake_redis fake;
	struct watch watch;

	for (size_t i = 0; i < sizeof(reply_cases) / sizeof(reply_cases[0]); i++) {
		const struct reply_case *want = &reply_cases[i];

		start_with_fake(&watch, &fake, harness, FAR_MS);
		fake.replies[FAKE_REPLICATION] = want->replication;
		fake.replies[FAKE_PING] = want->ping;
		HARNESS_WAIT(harness, count(&watch), 1000);
		if (watch.answered != 1 || watch.last.info_reply != want->info_reply ||
		    watch.last.ping_reply != want->ping_reply)
			fail_msg("%zu: answered %zu, info %s, ping %s", i, watch.answered,
				 reply_class_name(watch.last.info_reply),
				 reply_class_name(watch.last.ping_reply));
		prober_free(watch.prober);
		fake_redis_done(&fake);
	}
}

static void test_asks_all_again_when_let_in(void **state)
{
	struct harness *harness = *state;
	struct prober *prober = prober_new(&harness->loop);
	struct fake_redis fake;
	struct watch watch;
	char address[64];

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.replies[FAKE_AUTH] = "-WRONGPASS invalid\r\n";
	fake.replies[FAKE_REPLICATION] = "-NOAUTH needed\r\n";
	snprintf(address, sizeof(address), "127.0.0.1:%u", fake.port);
	add(&watch, prober, address, "secret", 10);
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

/* Protected mode and a full house: an error, then the end. */
static void test_turned_away_is_no_access(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, 20);
	fake.greeting = "-DENIED Redis is running in protected mode\r\n";
	fake.close_at_once = true;
	HARNESS_WAIT(harness, count(&watch) >= 2, 1000);
	assert_int_equal(watch.answered, count(&watch));
	assert_int_equal(watch.last.info_reply, REPLY_NO_ACCESS);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_unasked_reply_is_a_protocol_error(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	fake_redis_say(&fake, "+surprise\r\n");
	HARNESS_WAIT(harness, watch.answered == 2, 1000);
	assert_int_equal(watch.last.info_reply, REPLY_OTHER_ERROR);
	assert_true(watch.last.new_connection);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_refused_from_the_start(void **state)
{
	struct harness *harness = *state;
	struct watch watch;

	start(&watch, harness, harness_free_port(), 20);
	HARNESS_WAIT(harness, watch.refused == 1, 100);
	assert_int_equal(count(&watch), 1);
	harness_run(harness, 500);
	/* 20, 40, 80, … ms, each less up to a quarter. */
	assert_in_range(watch.refused, 3, 8);
	assert_int_equal(watch.missed, 0);
	assert_int_equal(watch.reconnected, 0);
	assert_int_equal(probe_connections(watch.probe), 0);
	prober_free(watch.prober);
}

static void test_silence_is_missed_each_timeout(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;
	int64_t begun_ms = clock_mono_ms();

	start_with_fake(&watch, &fake, harness, 20);
	fake.hold = true;
	HARNESS_WAIT(harness, watch.missed == 1, 1000);
	assert_in_range(clock_mono_ms() - begun_ms, 90, 200);
	HARNESS_WAIT(harness, watch.missed == 3, 1000);
	assert_in_range(clock_mono_ms() - begun_ms, 290, 450);
	assert_int_equal(fake.seen[FAKE_PING], 1);
	assert_int_equal(fake.connections, 1);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_late_answers_are_dropped(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	fake.hold = true;
	fake.replies[FAKE_REPLICATION] = "$12\r\nrole:slave\r\n\r\n";
	probe_now(watch.probe);
	HARNESS_WAIT(harness, watch.missed == 1, 1000);
	fake.replies[FAKE_REPLICATION] = "$13\r\nrole:master\r\n\r\n";
	fake_redis_release(&fake);
	HARNESS_WAIT(harness, watch.answered == 2, 50);
	assert_int_equal(watch.last.info.role, INFO_ROLE_MASTER);
	assert_int_equal(fake.seen[FAKE_PING], 3);
	assert_int_equal(fake.connections, 1);
	assert_int_equal(watch.reconnected, 0);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_silent_connection_is_given_up(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, 20);
	fake.hold = true;
	HARNESS_WAIT(harness, fake.connections == 2, 7000);
	assert_in_range(watch.missed, 45, 51);
	fake_redis_release(&fake);
	HARNESS_WAIT(harness, watch.answered >= 1, 500);
	assert_int_equal(watch.refused, 0);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_answers_after_a_stall_of_our_own_count(void **state)
{
	struct harness *harness = *state;
	struct timespec stall = { .tv_nsec = 300 * 1000000L };
	struct real_redis redis;
	struct watch watch;

	real_redis_start(&redis, NULL);
	start(&watch, harness, redis.port, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	probe_now(watch.probe);
	uv_run(&harness->loop, UV_RUN_NOWAIT); /* the round goes out */
	nanosleep(&stall, NULL);
	HARNESS_WAIT(harness, count(&watch) == 2, 100);
	assert_int_equal(watch.answered, 2);
	prober_free(watch.prober);
	real_redis_stop(&redis);
}

/* Cut in mid-reply, closed at rest, reset: asked anew at once, the first time. */
static void check_break(struct harness *harness, bool reset)
{
	struct fake_redis fake;
	struct watch watch;
	int64_t broken_ms;

	start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	assert_false(watch.last.new_connection);
	fake.reset = reset;
	broken_ms = clock_mono_ms();
	fake_redis_hang_up(&fake);
	HARNESS_WAIT(harness, count(&watch) == 2, 50);
	assert_int_equal(watch.answered, 2);
	assert_true(watch.last.new_connection);
	assert_true(watch.last.sent_ms >= broken_ms);
	assert_int_equal(probe_connections(watch.probe), 2);
	assert_int_equal(fake.seen[FAKE_INFO], 6);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_break_is_asked_at_once(void **state)
{
	check_break(*state, false);
	check_break(*state, true);
}

static void test_break_and_gone_is_refused_at_once(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	fake_redis_stop_listening(&fake);
	harness_run(harness, 5);
	fake_redis_hang_up(&fake);
	HARNESS_WAIT(harness, count(&watch) == 2, 50);
	assert_int_equal(watch.refused, 1);
	assert_true(watch.last.new_connection);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void check_no_hot_loop(struct harness *harness, bool close_at_once, size_t cut_after)
{
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, 50);
	fake.close_at_once = close_at_once;
	fake.cut_after = cut_after;
	HARNESS_WAIT(harness, watch.missed == 1, 1000);
	assert_int_equal(fake.connections, 2);
	harness_run(harness, 500);
	assert_in_range(fake.connections, 3, 8);
	assert_int_equal(watch.missed, count(&watch));
	fake.close_at_once = false;
	fake.cut_after = 0;
	HARNESS_WAIT(harness, watch.answered == 1, 2000);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_no_hot_loop(void **state)
{
	check_no_hot_loop(*state, true, 0);
	check_no_hot_loop(*state, false, 20);
}

static void test_trickled_answers(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, FAR_MS);
	fake.trickle = true;
	fake.replies[FAKE_REPLICATION] = "$13\r\nrole:master\r\n\r\n";
	HARNESS_WAIT(harness, count(&watch) == 1, 1000);
	/* Some 55 bytes, a millisecond each: in time. */
	assert_int_equal(watch.answered, 1);
	assert_int_equal(watch.last.info.role, INFO_ROLE_MASTER);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_interval_changes_within_observe(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;
	size_t answered;

	start_with_fake(&watch, &fake, harness, FAR_MS);
	watch.set_interval_ms = 10;
	HARNESS_WAIT(harness, watch.answered == 10, 500);
	watch.set_interval_ms = FAR_MS;
	HARNESS_WAIT(harness, watch.answered == 11, 500);
	probe_now(watch.probe);
	HARNESS_WAIT(harness, watch.answered == 12, 100);
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
	struct watch watch;

	start(&watch, harness, harness_free_port(), FAR_MS);
	HARNESS_WAIT(harness, watch.refused == 1, 100);
	probe_set_interval(watch.probe, 10);
	HARNESS_WAIT(harness, watch.refused == 3, 200);
	prober_free(watch.prober);
}

/* Removal and the end of all, within an observation of each kind. */
static void check_gone_within_observe(struct harness *harness, enum observation_outcome outcome,
				      bool whole)
{
	struct fake_redis fake;
	struct watch watch;

	start_with_fake(&watch, &fake, harness, 20);
	fake.hold = outcome == OBSERVATION_MISSED;
	if (outcome == OBSERVATION_REFUSED)
		fake_redis_stop_listening(&fake);
	watch.remove = !whole;
	watch.free = whole;
	HARNESS_WAIT(harness, count(&watch) == 1, 1000);
	assert_int_equal(watch.last.outcome, outcome);
	harness_run(harness, 60);
	assert_int_equal(count(&watch), 1);
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
	struct fake_redis fake;
	size_t answered = 0;
	char address[64];

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	snprintf(address, sizeof(address), "localhost:%u", fake.port);
	for (size_t i = 0; i < PROBES; i++)
		add(&watches[i], prober, address, NULL, 100);
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

static void test_real_redis_connection_killed(void **state)
{
	struct harness *harness = *state;
	struct real_redis redis;
	struct watch watch;

	real_redis_start(&redis, NULL);
	start(&watch, harness, redis.port, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	assert_int_equal(watch.last.info.role, INFO_ROLE_MASTER);
	assert_int_equal(strlen(watch.last.info.run_id), 40);
	assert_int_equal(watch.last.info.keys, 0);
	assert_int_equal(watch.last.info.loading, 0);
	real_redis_do(&redis, "REPLICAOF 127.0.0.1 1");
	real_redis_do(&redis, "CLIENT KILL TYPE normal SKIPME yes");
	HARNESS_WAIT(harness, watch.answered == 2, 50);
	assert_true(watch.last.new_connection);
	assert_int_equal(watch.last.info.role, INFO_ROLE_REPLICA);
	assert_int_equal(strlen(watch.last.info.run_id), 40);
	prober_free(watch.prober);
	real_redis_stop(&redis);
}

static void test_real_redis_killed(void **state)
{
	struct harness *harness = *state;
	struct real_redis redis;
	struct watch watch;

	real_redis_start(&redis, NULL);
	start(&watch, harness, redis.port, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	real_redis_stop(&redis);
	HARNESS_WAIT(harness, watch.refused == 1, 50);
	assert_int_equal(count(&watch), 2);
	prober_free(watch.prober);
}

static void test_real_redis_stopped_and_continued(void **state)
{
	struct harness *harness = *state;
	struct real_redis redis;
	struct watch watch;

	real_redis_start(&redis, NULL);
	start(&watch, harness, redis.port, 20);
	HARNESS_WAIT(harness, watch.answered >= 2, 1000);
	kill(redis.pid, SIGSTOP);
	HARNESS_WAIT(harness, watch.missed == 3, 1000);
	kill(redis.pid, SIGCONT);
	watch.answered = 0;
	HARNESS_WAIT(harness, watch.answered == 1, 100);
	assert_int_equal(probe_connections(watch.probe), 1);
	prober_free(watch.prober);
	real_redis_stop(&redis);
}

static void test_real_redis_addresses_and_passwords(void **state)
{
	static const char *const options[] = { "--requirepass", "right", NULL };
	struct harness *harness = *state;
	struct prober *prober = prober_new(&harness->loop);
	struct watch watches[5];
	struct real_redis redis;
	char addresses[3][ADDRESS_TEXT_SIZE];

	real_redis_start(&redis, options);
	snprintf(addresses[0], ADDRESS_TEXT_SIZE, "localhost:%u", redis.port);
	snprintf(addresses[1], ADDRESS_TEXT_SIZE, "[::1]:%u", redis.port);
	snprintf(addresses[2], ADDRESS_TEXT_SIZE, "unix:%s", redis.socket);
	for (int i = 0; i < 3; i++)
		add(&watches[i], prober, addresses[i], "right", FAR_MS);
	add(&watches[3], prober, addresses[0], "wrong", FAR_MS);
	add(&watches[4], prober, addresses[0], NULL, FAR_MS);
	for (int i = 0; i < 5; i++) {
		enum reply_class want = i < 3 ? REPLY_OK : REPLY_NO_ACCESS;

		HARNESS_WAIT(harness, watches[i].answered == 1, 5000);
		assert_int_equal(watches[i].last.info_reply, want);
		assert_int_equal(watches[i].last.ping_reply, want);
	}
	assert_string_equal(watches[1].last.peer, "::1");
	assert_string_equal(watches[2].last.peer, "");
	prober_free(prober);
	real_redis_stop(&redis);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_steady_state),
		CASE(test_asks_for_persistence_while_loading),
		CASE(test_error_replies),
		CASE(test_asks_all_again_when_let_in),
		CASE(test_turned_away_is_no_access),
		CASE(test_unasked_reply_is_a_protocol_error),
		CASE(test_refused_from_the_start),
		CASE(test_silence_is_missed_each_timeout),
		CASE(test_late_answers_are_dropped),
		CASE(test_silent_connection_is_given_up),
		CASE(test_answers_after_a_stall_of_our_own_count),
		CASE(test_break_is_asked_at_once),
		CASE(test_break_and_gone_is_refused_at_once),
		CASE(test_no_hot_loop),
		CASE(test_trickled_answers),
		CASE(test_interval_changes_within_observe),
		CASE(test_shorter_interval_hastens_a_retry),
		CASE(test_gone_within_observe),
		CASE(test_two_hundred_probes),
		CASE(test_real_redis_connection_killed),
		CASE(test_real_redis_killed),
		CASE(test_real_redis_stopped_and_continued),
		CASE(test_real_redis_addresses_and_passwords),
	};

	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
