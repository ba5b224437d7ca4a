/*
 * The shard as its callers see it, with observations made by hand: deadlines to the millisecond,
 * what a repeated input changes, servers that lack fields, and the policies of a pool. What happens
 * in a group of nodes over time is told by the timelines in tests/scenario.
 */
#include "core/shard.h"

#include "core/authority.h"
#include "shard_fixture.h"

static void test_new(void **state)
{
	struct shard *shard = new_shard(0);
	const struct shard_change *changes;

	(void)state;
	assert_incumbent(shard, -1);
	assert_int_equal(shard_changes(shard, &changes), 0);
	assert_null(shard_facts(shard, A));
	assert_false(shard_picture(shard)->complete);
	for (int n = 0; n < NODES; n++)
		assert_verdict(shard, WRITE, n, VERDICT_UNKNOWN, REASON_NOT_YET);
	shard_free(shard);
	shard_free(NULL);
}

static void test_start(void **state)
{
	struct shard *shard = new_shard(0);
	const struct shard_change *changes;

	(void)state;
	observe(shard, A, START + 1, master(A));
	assert_incumbent(shard, -1);
	observe(shard, B, START + 2, replica(B, "10.0.0.1"));
	assert_false(shard_picture(shard)->complete);
	assert_verdict(shard, WRITE, A, VERDICT_UNKNOWN, REASON_NOT_YET);
	assert_verdict(shard, READ, C, VERDICT_UNKNOWN, REASON_NOT_YET);
	observe(shard, C, START + 3, replica(C, "10.0.0.1"));
	assert_true(shard_picture(shard)->complete);
	assert_incumbent(shard, A);
	assert_int_equal(shard_picture(shard)->admitted_by, REASON_FIRST_PROOF);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	assert_verdict(shard, WRITE, B, VERDICT_STANDBY, REASON_REPLICA);
	assert_int_equal(picture_at(shard_picture(shard), WRITE, B)->peer, A);
	assert_int_equal(shard_facts(shard, A)->at_ms, START + 1);
	for (size_t i = 0, count = shard_changes(shard, &changes); i < count; i++) {
		assert_false(verdict_equal(&changes[i].was, &changes[i].is));
		assert_int_equal(changes[i].fact_ms, START + 1 + (int64_t)changes[i].node);
	}
	shard_free(shard);
}

/* Same facts, each order in which the nodes may be heard: the same picture. */
static void test_orders(void **state)
{
	static const int orders[][NODES] = { { A, B, C }, { A, C, B }, { B, A, C },
					     { B, C, A }, { C, A, B }, { C, B, A } };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct shard *shard = new_shard(0);

		for (int n = 0; n < NODES; n++) {
			int node = orders[i][n];

			observe(shard, node, START + 1,
				node == A ? master(A) : replica(node, "10.0.0.1"));
		}
		assert_incumbent(shard, A);
		assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
		assert_verdict(shard, READ, B, VERDICT_UP, REASON_FRESH);
		assert_verdict(shard, READ, C, VERDICT_UP, REASON_FRESH);
		shard_free(shard);
	}
}

static void test_repeated(void **state)
{
	struct shard *shard = new_running(1);
	struct observation miss = failed(OBSERVATION_MISSED);
	struct opinion opinion = { .node = A, .epoch = 1, .at_ms = START + 5 };
	const struct shard_change *changes;

	(void)state;
	miss.sent_ms = START + 10;
	miss.at_ms = START + 510;
	for (int i = 0; i < 10; i++) {
		shard_observe(shard, A, &miss, START + 510);
		assert_int_equal(shard_changes(shard, &changes), i == 0 ? POOLS : 0);
	}
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_SILENT);
	for (int i = 0; i < 3; i++) {
		shard_opine(shard, 0, &opinion, START + 511);
		assert_int_equal(shard_changes(shard, &changes), 0);
	}
	for (int i = 0; i < 3; i++) {
		tick(shard, START + 511);
		assert_int_equal(shard_changes(shard, &changes), 0);
	}
	/* Time does not go back. */
	shard_tick(shard, START);
	assert_int_equal(shard_changes(shard, &changes), 0);
	shard_free(shard);
}

/* Two rounds within one millisecond are two: a refusal follows an answer. */
static void test_same_millisecond(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	observe(shard, A, START + 100, master(A));
	observe(shard, A, START + 100, failed(OBSERVATION_REFUSED));
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_UNREACHABLE);
	observe(shard, A, START + 100, master(A));
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	observe(shard, A, START + 100, replica(A, "redis-b"));
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_DEMOTED);
	shard_free(shard);
}

/* Ticks at each deadline up to @until_ms, and nowhere else. */
/* An answer grows old at its deadline: 3 intervals and a time-out. A hold, and no more. */
static void test_old_facts(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	tick_until(shard, START + 1 + 1100);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	tick_until(shard, START + 1 + 1101);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_SILENT);
	assert_true(picture_at(shard_picture(shard), WRITE, A)->held);
	assert_verdict(shard, READ, B, VERDICT_UP, REASON_SILENT);
	tick_until(shard, START + 900000);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_SILENT);
	assert_true(shard_deadline_ms(shard) == INT64_MAX);
	shard_free(shard);
}

/* The restarted master is admitted by a tick at the deadline, not by one a millisecond before. */
static void test_restarted(void **state)
{
	struct shard *shard = new_running(0);
	struct observation anew = master(A);
	int64_t since_ms = START + 100;

	(void)state;
	snprintf(anew.info.run_id, sizeof(anew.info.run_id), "another");
	observe(shard, A, since_ms, anew);
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_RESTARTED);
	for (int64_t ms = since_ms + 500; ms < since_ms + 2000; ms += 500)
		observe(shard, A, ms, anew);
	tick_until(shard, since_ms + 1999);
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_RESTARTED);
	assert_int_equal(shard_deadline_ms(shard), since_ms + 2000);
	tick(shard, since_ms + 2000);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	assert_int_equal(shard_picture(shard)->admitted_by, REASON_RESTARTED_MASTER);
	shard_free(shard);
}

/* A disturbed view is held for `tilt`, to the millisecond. */
static void test_disturbed(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	shard_disturb(shard, START + 5000);
	check_deadline(shard, START + 5000);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_AGENT_TILT);
	assert_true(shard_picture(shard)->alarms & ALARM_TILT);
	tick_until(shard, START + 6999);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_AGENT_TILT);
	tick_until(shard, START + 7000);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_SILENT);
	assert_false(shard_picture(shard)->alarms & ALARM_TILT);
	shard_free(shard);
}

/* A round begun before the stall, read after it, is old: held. One begun after it counts. */
static void test_buffered(void **state)
{
	struct shard *shard = new_running(0);
	struct observation late = master(A);

	(void)state;
	shard_disturb(shard, START + 5000);
	late.sent_ms = START + 100;
	late.at_ms = START + 5001;
	shard_observe(shard, A, &late, START + 5001);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_AGENT_TILT);
	observe(shard, A, START + 5010, master(A));
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	/* … but that it is no master any more is believed however old. */
	shard_disturb(shard, START + 8000);
	late = replica(A, "redis-b");
	late.sent_ms = START + 5100;
	late.at_ms = START + 8001;
	shard_observe(shard, A, &late, START + 8001);
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_DEMOTED);
	shard_free(shard);
}

static void test_transition(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	tick_until(shard, START + 2000);
	assert_int_equal(shard_probe_interval_ms(shard), 200);
	observe_group(shard, START + 3000);
	observe(shard, B, START + 3200, promoted(B));
	assert_int_equal(shard_probe_interval_ms(shard), 10);
	tick_until(shard, START + 4199);
	assert_int_equal(shard_probe_interval_ms(shard), 10);
	observe(shard, A, START + 4199, master(A));
	tick_until(shard, START + 6500);
	assert_int_equal(shard_probe_interval_ms(shard), 200);
	shard_free(shard);
}

/* However restless the nodes, fast probing ends after ten seconds; a new hint begins it anew. */
static void test_transition_ends(void **state)
{
	struct shard *shard = new_running(0);
	int64_t ms = START + 3000;
	bool slow = false;

	(void)state;
	tick_until(shard, ms);
	for (; ms < START + 3000 + 10100; ms += 10) {
		bool flip = ms / 10 % 2;

		observe(shard, C, ms, flip ? replica(C, "10.0.0.1") : cut_off(C, "10.0.0.1", 500));
		if (ms == START + 3000) {
			struct observation broke = replica(B, "10.0.0.1");

			broke.new_connection = true;
			observe(shard, B, ms, broke);
		}
		slow |= shard_probe_interval_ms(shard) == 200;
		assert_true(!slow || ms >= START + 3000 + 10000);
	}
	assert_true(slow);
	shard_free(shard);
}

/* What a master pool says at the start, by what each node answered. */
static void test_alarms(void **state)
{
	struct shard *shard = new_shard(0);
	struct observation denied = master(C);

	(void)state;
	observe(shard, A, START + 1, master(A));
	observe(shard, B, START + 1, master(B));
	assert_false(shard_picture(shard)->alarms & ALARM_NO_MASTER);
	denied.info_reply = REPLY_NO_ACCESS;
	observe(shard, C, START + 1, denied);
	assert_int_equal(shard_picture(shard)->alarms,
			 ALARM_TIE | ALARM_NO_MASTER | ALARM_NO_ACCESS);
	observe(shard, C, START + 200, replica(C, "redis-b"));
	assert_incumbent(shard, B);
	assert_int_equal(shard_picture(shard)->alarms, 0);
	observe(shard, A, START + 200, master(A));
	assert_int_equal(shard_picture(shard)->alarms, ALARM_SECOND_MASTER);
	observe(shard, A, START + 400, replica(A, "redis-b"));
	assert_int_equal(shard_picture(shard)->alarms, 0);
	shard_free(shard);
}

/* An opinion lapses at its deadline, and what depended on it is decided then. */
static void test_opinion_lapses(void **state)
{
	struct shard *shard = new_shard(1);
	struct opinion opinion = { .node = B, .epoch = 3, .at_ms = START };

	(void)state;
	shard_opine(shard, 0, &opinion, START);
	check_deadline(shard, START);
	observe(shard, A, START + 2500, master(A));
	observe(shard, B, START + 2500, replica(B, "10.0.0.1"));
	observe(shard, C, START + 2500, replica(C, "10.0.0.1"));
	tick_until(shard, START + AUTHORITY_OPINION_MS - 1);
	assert_incumbent(shard, -1);
	assert_int_equal(shard_deadline_ms(shard), START + AUTHORITY_OPINION_MS);
	tick(shard, START + AUTHORITY_OPINION_MS);
	assert_incumbent(shard, A);
	shard_free(shard);
}

/* Time-outs below the limit hold; a node that is dark is not known to be dead. */
static void test_silence_is_not_death(void **state)
{
	struct shard *shard = new_running(0);
	int64_t ms = START + 500;

	(void)state;
	observe(shard, A, ms, failed(OBSERVATION_MISSED));
	observe(shard, A, ms + 500, failed(OBSERVATION_MISSED));
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_SILENT);
	observe(shard, A, ms + 1000, failed(OBSERVATION_MISSED));
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_UNREACHABLE);
	assert_false(picture_at(shard_picture(shard), WRITE, A)->dead);
	observe(shard, A, ms + 1500, failed(OBSERVATION_REFUSED));
	assert_true(picture_at(shard_picture(shard), WRITE, A)->dead);
	shard_free(shard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_same_millisecond),
		cmocka_unit_test(test_old_facts),
		cmocka_unit_test(test_restarted),
		cmocka_unit_test(test_disturbed),
		cmocka_unit_test(test_buffered),
		cmocka_unit_test(test_transition),
		cmocka_unit_test(test_transition_ends),
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_opinion_lapses),
		cmocka_unit_test(test_silence_is_not_death),
	};

	return cmocka_run_group_tests_name("core/shard", tests, NULL, NULL);
}
