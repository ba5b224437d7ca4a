/* The prober when nobody answers: refusals, silence, broken connections; fakes and a real
 * redis-server that is killed, stopped, and cuts us off. */
#include "io/probe.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake_redis.h"
#include "harness.h"
#include "watch_probe.h"

static void test_refused_from_the_start(void **state)
{
	struct harness *harness = *state;
	static struct watch watch;

	watch_start(&watch, harness, harness_free_port(), 20);
	HARNESS_WAIT(harness, watch.refused == 1, 100);
	assert_int_equal(watch_count(&watch), 1);
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
	static struct fake_redis fake;
	static struct watch watch;
	int64_t begun_ms = clock_mono_ms();

	watch_start_with_fake(&watch, &fake, harness, 20);
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
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	fake.hold = true;
	fake.replies[FAKE_REPLICATION] = "$12\r\nrole:slave\r\n\r\n";
	probe_set_interval(watch.probe, 10);
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
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 20);
	fake.hold = true;
	HARNESS_WAIT(harness, fake.connections == 2, 7000);
	assert_in_range(watch.missed, 45, 51);
	fake_redis_release(&fake);
	HARNESS_WAIT(harness, watch.answered >= 1, 500);
	/* We ended it ourselves. */
	assert_int_equal(watch.reconnected, 0);
	assert_int_equal(watch.refused, 0);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_answers_after_a_stall_of_our_own_count(void **state)
{
	struct harness *harness = *state;
	struct timespec stall = { .tv_nsec = 300 * 1000000L };
	struct real_redis redis;
	static struct watch watch;

	real_redis_start(&redis, NULL);
	watch_start(&watch, harness, redis.port, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	probe_set_interval(watch.probe, 20);
	uv_run(&harness->loop, UV_RUN_ONCE); /* the round goes out */
	nanosleep(&stall, NULL);
	HARNESS_WAIT(harness, watch_count(&watch) == 2, 100);
	assert_int_equal(watch.answered, 2);
	prober_free(watch.prober);
	real_redis_stop(&redis);
}

/* Cut in mid-reply, closed at rest, reset: asked anew at once, the first time. */
static void check_break(struct harness *harness, bool reset)
{
	static struct fake_redis fake;
	static struct watch watch;
	int64_t broken_ms;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	assert_false(watch.last.new_connection);
	fake.reset = reset;
	broken_ms = clock_mono_ms();
	fake_redis_hang_up(&fake);
	HARNESS_WAIT(harness, watch_count(&watch) == 2, 50);
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
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	fake_redis_stop_listening(&fake);
	harness_run(harness, 5);
	fake_redis_hang_up(&fake);
	HARNESS_WAIT(harness, watch_count(&watch) == 2, 50);
	assert_int_equal(watch.refused, 1);
	assert_true(watch.last.new_connection);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void check_no_hot_loop(struct harness *harness, bool close_at_once, size_t cut_after)
{
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 50);
	fake.close_at_once = close_at_once;
	fake.cut_after = cut_after;
	HARNESS_WAIT(harness, watch.missed == 1, 1000);
	/* At once, after 50 ms less up to a quarter, and perhaps after twice that. */
	assert_in_range(fake.connections, 3, 4);
	harness_run(harness, 500);
	assert_in_range(fake.connections, 3, 8);
	assert_int_equal(watch.missed, watch_count(&watch));
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

/* However fast it fails, a miss takes a time-out: `fall` of them are to mean something. */
static void check_pace(struct harness *harness, bool reset)
{
	static struct fake_redis fake;
	static struct watch watch;
	int64_t begun_ms = clock_mono_ms();

	watch_start_with_fake(&watch, &fake, harness, 10);
	fake.close_at_once = true;
	fake.reset = reset;
	HARNESS_WAIT(harness, watch.missed == 3, 3000);
	assert_in_range(clock_mono_ms() - begun_ms, 3 * TIMEOUT_MS - 20, 20 * TIMEOUT_MS);
	assert_int_equal(watch_count(&watch), 3);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_misses_take_their_time(void **state)
{
	check_pace(*state, false);
	check_pace(*state, true);
}

/* What is well again before the deadline was no miss. */
static void test_failure_within_a_round_is_no_miss(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 10);
	fake.close_at_once = true;
	HARNESS_WAIT(harness, fake.connections == 3, TIMEOUT_MS / 2);
	fake.close_at_once = false;
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	assert_int_equal(watch_count(&watch), 1);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

/* With an interval far longer than the time-out the miss waits for the time-out, not for it. */
static void test_miss_does_not_wait_for_the_next_attempt(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	fake.close_at_once = true;
	HARNESS_WAIT(harness, watch.missed == 1, 3 * TIMEOUT_MS);
	harness_run(harness, 2 * TIMEOUT_MS);
	assert_int_equal(watch_count(&watch), 1);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

/* No descriptor left: not the node's fault, and no quick end for it. */
static void test_shortage_of_our_own(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	struct rlimit limit, none;
	struct caught_log log;

	caught_log_start(&log);
	watch_start_with_fake(&watch, &fake, harness, 10);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	harness_run(harness, 3 * TIMEOUT_MS - 20);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_in_range(watch.missed, 1, 2);
	assert_int_equal(watch_count(&watch), watch.missed);
	HARNESS_WAIT(harness, watch.answered == 1, 2000);
	assert_int_equal(caught_log_count(&log, "raise LimitNOFILE"), 1);
	assert_int_equal(caught_log_count(&log, "talk"), 0);
	caught_log_stop(&log);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

/* Answers all of the first round, then hangs up, each time. */
static void test_hanging_up_after_each_answer_is_no_hot_loop(void **state)
{
	struct harness *harness = *state;
	struct fake_redis fake;
	struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, 50);
	fake.close_after_ping = true;
	harness_run(harness, 600);
	assert_in_range(fake.connections, 4, 9);
	assert_in_range(watch.reconnected, 1, 2);
	assert_int_equal(watch.refused, 0);
	fake.close_after_ping = false;
	HARNESS_WAIT(harness, fake.seen[FAKE_PING] > fake.connections, 2000);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_trickled_answers(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;

	watch_start_with_fake(&watch, &fake, harness, FAR_MS);
	fake.trickle = true;
	fake.replies[FAKE_REPLICATION] = "$13\r\nrole:master\r\n\r\n";
	HARNESS_WAIT(harness, watch_count(&watch) == 1, 1000);
	/* Some 55 bytes, a millisecond each: in time. */
	assert_int_equal(watch.answered, 1);
	assert_int_equal(watch.last.info.role, INFO_ROLE_MASTER);
	prober_free(watch.prober);
	fake_redis_done(&fake);
}

static void test_real_redis_connection_killed(void **state)
{
	struct harness *harness = *state;
	struct real_redis redis;
	static struct watch watch;

	real_redis_start(&redis, NULL);
	watch_start(&watch, harness, redis.port, FAR_MS);
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
	static struct watch watch;

	real_redis_start(&redis, NULL);
	watch_start(&watch, harness, redis.port, FAR_MS);
	HARNESS_WAIT(harness, watch.answered == 1, 1000);
	real_redis_stop(&redis);
	HARNESS_WAIT(harness, watch.refused == 1, 50);
	assert_int_equal(watch_count(&watch), 2);
	prober_free(watch.prober);
}

static void test_real_redis_stopped_and_continued(void **state)
{
	struct harness *harness = *state;
	struct real_redis redis;
	static struct watch watch;

	real_redis_start(&redis, NULL);
	watch_start(&watch, harness, redis.port, 20);
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
	static struct watch watches[5];
	struct real_redis redis;
	char addresses[3][ADDRESS_TEXT_SIZE];

	real_redis_start(&redis, options);
	snprintf(addresses[0], ADDRESS_TEXT_SIZE, "localhost:%u", redis.port);
	snprintf(addresses[1], ADDRESS_TEXT_SIZE, "[::1]:%u", redis.port);
	snprintf(addresses[2], ADDRESS_TEXT_SIZE, "unix:%s", redis.socket);
	for (int i = 0; i < 3; i++)
		watch_add(&watches[i], prober, addresses[i], "right", FAR_MS, FAR_MS);
	watch_add(&watches[3], prober, addresses[0], "wrong", FAR_MS, FAR_MS);
	watch_add(&watches[4], prober, addresses[0], NULL, FAR_MS, FAR_MS);
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
		CASE(test_refused_from_the_start),
		CASE(test_silence_is_missed_each_timeout),
		CASE(test_late_answers_are_dropped),
		CASE(test_silent_connection_is_given_up),
		CASE(test_answers_after_a_stall_of_our_own_count),
		CASE(test_break_is_asked_at_once),
		CASE(test_break_and_gone_is_refused_at_once),
		CASE(test_no_hot_loop),
		CASE(test_misses_take_their_time),
		CASE(test_failure_within_a_round_is_no_miss),
		CASE(test_miss_does_not_wait_for_the_next_attempt),
		CASE(test_shortage_of_our_own),
		CASE(test_hanging_up_after_each_answer_is_no_hot_loop),
		CASE(test_trickled_answers),
		CASE(test_real_redis_connection_killed),
		CASE(test_real_redis_killed),
		CASE(test_real_redis_stopped_and_continued),
		CASE(test_real_redis_addresses_and_passwords),
	};

	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
