/* The rows of the decision, and what each pool makes of them, by observations made by hand. */
#include "core/shard.h"

#include "core/authority.h"
#include "shard_fixture.h"

/* A descendant's second offset reaches what it had as a replica; from less it was not promoted. */
static void test_heir_offset(void **state)
{
	(void)state;
	for (int64_t second = 499; second <= 501; second++) {
		struct shard *shard = new_running(0);
		struct observation heir = promoted(B);

		heir.info.second_offset = second;
		observe(shard, B, START + 200, replica(B, "10.0.0.1"));
		observe(shard, A, START + 210, failed(OBSERVATION_REFUSED));
		observe(shard, B, START + 220, heir);
		assert_incumbent(shard, A);
		observe(shard, B, START + 230, heir);
		assert_incumbent(shard, second >= 500 ? B : A);
		shard_free(shard);
	}
}

/* Each of the reasons not to admit an heir while the incumbent is dead. */
static void test_no_heir(void **state)
{
	enum { GOOD, OTHER_RUN_ID, NO_RUN_ID, OTHER_HISTORY, NO_HISTORY, LOADING, BUSY, CASES };

	(void)state;
	for (int i = GOOD; i < CASES; i++) {
		struct shard *shard = new_running(0);
		struct observation heir = promoted(B);

		if (i == OTHER_RUN_ID || i == NO_RUN_ID)
			snprintf(heir.info.run_id, sizeof(heir.info.run_id), "%s",
				 i == NO_RUN_ID ? "" : "another");
		if (i == OTHER_HISTORY || i == NO_HISTORY)
			snprintf(heir.info.replid2, sizeof(heir.info.replid2), "%s",
				 i == NO_HISTORY ? "" : "another");
		heir.info.loading = i == LOADING;
		heir.info_reply = i == BUSY ? REPLY_BUSY : REPLY_OK;
		observe(shard, B, START + 200, replica(B, "10.0.0.1"));
		observe(shard, A, START + 210, failed(OBSERVATION_REFUSED));
		observe(shard, B, START + 220, heir);
		observe(shard, B, START + 230, heir);
		if (shard_picture(shard)->incumbent != (i == GOOD ? B : A))
			fail_msg("case %d: the incumbent is %d", i,
				 shard_picture(shard)->incumbent);
		shard_free(shard);
	}
}

/* Back as another process, and not linked since: the mark stays, whatever its lineage looks like.
 */
static void test_returned_is_no_heir(void **state)
{
	struct shard *shard = new_running(0);
	struct observation back = promoted(B), unlinked = cut_off(B, "10.0.0.1", 500);

	(void)state;
	snprintf(back.info.run_id, sizeof(back.info.run_id), "another");
	snprintf(unlinked.info.run_id, sizeof(unlinked.info.run_id), "another");
	observe(shard, B, START + 200, back);
	observe(shard, B, START + 300, unlinked);
	observe(shard, A, START + 310, failed(OBSERVATION_REFUSED));
	observe(shard, B, START + 320, back);
	observe(shard, B, START + 330, back);
	assert_incumbent(shard, A);
	assert_verdict(shard, WRITE, B, VERDICT_DOWN, REASON_RETURNED_MASTER);
	shard_free(shard);
}

/* Neither the claim nor the word that hands the office over may be old. */
static void test_old_words(void **state)
{
	struct observation busy = promoted(B);
	struct shard *shard = new_running(0);

	(void)state;
	observe(shard, B, START + 200, promoted(B));
	observe(shard, A, START + 5000, replica(A, "redis-b"));
	assert_incumbent(shard, A);
	observe(shard, B, START + 5001, promoted(B));
	assert_incumbent(shard, B);
	shard_free(shard);

	shard = new_running(0);
	busy.info_reply = REPLY_BUSY;
	observe(shard, B, START + 200, promoted(B));
	observe(shard, B, START + 210, busy);
	observe(shard, A, START + 300, replica(A, "redis-b"));
	observe(shard, B, START + 5000, promoted(B));
	assert_incumbent(shard, A);
	observe(shard, A, START + 5001, replica(A, "redis-b"));
	assert_incumbent(shard, B);
	shard_free(shard);
}

/* A second offset at the end of all numbers, and one that is missing, admit as the rule says. */
static void test_edges(void **state)
{
	struct shard *shard = new_running(0);
	struct observation heir = promoted(B);

	(void)state;
	heir.info.second_offset = INFO_UNKNOWN;
	observe(shard, B, START + 200, replica(B, "10.0.0.1"));
	observe(shard, A, START + 210, failed(OBSERVATION_REFUSED));
	observe(shard, B, START + 220, heir);
	observe(shard, B, START + 230, heir);
	assert_incumbent(shard, A);
	heir.info.second_offset = INT64_MAX;
	observe(shard, B, START + 240, heir);
	assert_incumbent(shard, B);
	shard_free(shard);
}

/* Redis 2.8 has no replication ids: the master's own word hands over, lineage proves nothing. */
static void test_without_ids(void **state)
{
	struct shard *shard = new_shard(0);
	struct observation observations[] = { master(A), replica(B, "10.0.0.1"),
					      replica(C, "10.0.0.1"), master(B) };

	(void)state;
	for (int i = 0; i < 4; i++)
		observations[i].info.replid[0] = '\0';
	for (int n = 0; n < NODES; n++)
		observe(shard, n, START + 1, observations[n]);
	assert_incumbent(shard, A);
	assert_verdict(shard, READ, B, VERDICT_UP, REASON_FRESH);
	observe(shard, A, START + 200, failed(OBSERVATION_REFUSED));
	observe(shard, B, START + 210, observations[3]);
	observe(shard, B, START + 220, observations[3]);
	assert_incumbent(shard, A);
	observe(shard, A, START + 300, replica(A, "redis-b"));
	assert_incumbent(shard, B);
	assert_int_equal(shard_picture(shard)->admitted_by, REASON_HANDED_OVER);
	shard_free(shard);
}

/* A replica may name its master as it was configured, or by the address that we reached. */
static void test_names_of_a_master(void **state)
{
	static const struct {
		const char *host;
		int64_t port;
		int peer;
	} cases[] = {
		{ "10.0.0.1", 6379, A },  { "redis-b", 6379, B },  { "10.0.0.2", 6379, B },
		{ "10.0.0.1", 6380, -1 }, { "redis-a", 6379, -1 }, { "", 6379, -1 },
		{ "10.0.0.3", 6379, -1 }, /* itself */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shard *shard = new_running(0);
		struct observation it = replica(C, cases[i].host);

		it.info.master_port = cases[i].port;
		observe(shard, C, START + 100, it);
		if (picture_at(shard_picture(shard), WRITE, C)->peer != cases[i].peer)
			fail_msg("%s:%lld is node %d, not %d", cases[i].host,
				 (long long)cases[i].port,
				 picture_at(shard_picture(shard), WRITE, C)->peer, cases[i].peer);
		shard_free(shard);
	}
}

/* A role that nobody can route by: the office is closed, others are left alone. */
static void test_unsupported(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	observe(shard, C, START + 100, answer(C, INFO_ROLE_OTHER));
	assert_verdict(shard, WRITE, C, VERDICT_UNKNOWN, REASON_UNSUPPORTED);
	assert_verdict(shard, READ, C, VERDICT_UNKNOWN, REASON_UNSUPPORTED);
	assert_true(shard_picture(shard)->alarms & ALARM_UNSUPPORTED);
	observe(shard, A, START + 100, answer(A, INFO_ROLE_OTHER));
	assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_UNSUPPORTED);
	observe(shard, A, START + 300, master(A));
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	shard_free(shard);
}

static void test_reads_on_master(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	assert_verdict(shard, READ, A, VERDICT_STANDBY, REASON_MASTER);
	assert_verdict(shard, NEVER, A, VERDICT_STANDBY, REASON_MASTER);
	assert_verdict(shard, ALWAYS, A, VERDICT_UP, REASON_MASTER);
	assert_int_equal(picture_at(shard_picture(shard), ALWAYS, A)->weight, 70);
	assert_verdict(shard, TWO, A, VERDICT_STANDBY, REASON_MASTER);
	observe(shard, B, START + 100, failed(OBSERVATION_REFUSED));
	assert_verdict(shard, READ, A, VERDICT_STANDBY, REASON_MASTER);
	assert_verdict(shard, TWO, A, VERDICT_UP, REASON_FALLBACK);
	observe(shard, C, START + 100, failed(OBSERVATION_REFUSED));
	assert_verdict(shard, READ, A, VERDICT_UP, REASON_FALLBACK);
	assert_int_equal(picture_at(shard_picture(shard), READ, A)->weight, 70);
	assert_verdict(shard, NEVER, A, VERDICT_STANDBY, REASON_MASTER);
	observe(shard, A, START + 100, failed(OBSERVATION_REFUSED));
	for (int p = WRITE; p < POOLS; p++)
		assert_verdict(shard, p, A, VERDICT_DOWN, REASON_UNREACHABLE);
	shard_free(shard);
}

/* Nothing fit and no master: the replica that got furthest, by policy. Never two for one. */
static void test_panic(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	observe(shard, B, START + 100, cut_off(B, "10.0.0.1", 400));
	observe(shard, C, START + 100, cut_off(C, "10.0.0.1", 450));
	tick_until(shard, START + 700);
	for (int64_t ms = START + 700; ms < START + 6000; ms += 200) {
		observe(shard, A, ms, master(A));
		observe(shard, B, ms, cut_off(B, "10.0.0.1", 400));
		observe(shard, C, ms, cut_off(C, "10.0.0.1", 450));
	}
	assert_verdict(shard, READ, A, VERDICT_UP, REASON_FALLBACK);
	assert_verdict(shard, READ, B, VERDICT_DRAIN, REASON_LINK_DOWN);
	/* There is a master, though it may not read: no panic. */
	assert_verdict(shard, NEVER, C, VERDICT_DRAIN, REASON_LINK_DOWN);
	struct observation loading = master(A);

	loading.info.loading = 1;
	observe(shard, A, START + 6000, loading);
	assert_verdict(shard, READ, B, VERDICT_DRAIN, REASON_LINK_DOWN);
	assert_verdict(shard, READ, C, VERDICT_UP, REASON_LEAST_BAD);
	assert_int_equal(picture_at(shard_picture(shard), READ, C)->weight, 10);
	assert_verdict(shard, NONE, C, VERDICT_DRAIN, REASON_LINK_DOWN);
	shard_free(shard);
}

/* What a replica's INFO says of its link, kept up for ten seconds, and what comes of it. */
static void test_links(void **state)
{
	static const struct {
		const char *what;
		int64_t link_up, down_s, last_io_s, offset;
		enum reason at_once, later;
	} cases[] = {
		{ "never synced", 0, -1, -1, 1, REASON_NEVER_SYNCED, REASON_NEVER_SYNCED },
		{ "restarted with data, not linked since", 0, -1, -1, 500, REASON_LINK_GRACE,
		  REASON_LINK_DOWN },
		{ "lost its link at once", 0, 0, -1, 1, REASON_LINK_GRACE, REASON_LINK_DOWN },
		{ "the master is idle", 1, INFO_UNKNOWN, 9, 500, REASON_FRESH, REASON_FRESH },
		{ "behind, but hears its master", 1, INFO_UNKNOWN, 1, 400, REASON_FRESH,
		  REASON_FRESH },
		{ "behind, and hears nothing", 1, INFO_UNKNOWN, 9, 400, REASON_FRESH,
		  REASON_LINK_DOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shard *shard = new_running(0);
		struct observation it = replica(B, "10.0.0.1");

		it.info.link_up = cases[i].link_up;
		it.info.link_down_s = cases[i].down_s;
		it.info.last_io_s = cases[i].last_io_s;
		it.info.replica_offset = cases[i].offset;
		observe(shard, B, START + 100, it);
		if (picture_at(shard_picture(shard), READ, B)->reason != cases[i].at_once)
			fail_msg("%s: at once %s", cases[i].what,
				 reason_token(picture_at(shard_picture(shard), READ, B)->reason));
		for (int64_t ms = START + 300; ms < START + 10000; ms += 200) {
			observe(shard, A, ms, master(A));
			observe(shard, B, ms, it);
		}
		if (picture_at(shard_picture(shard), READ, B)->reason != cases[i].later)
			fail_msg("%s: later %s", cases[i].what,
				 reason_token(picture_at(shard_picture(shard), READ, B)->reason));
		shard_free(shard);
	}
}

/* Another address may be another server: nothing of the old one counts, and nobody is let in
 * before it has answered. */
static void test_moved_incumbent(void **state)
{
	static const struct {
		const char *run_id;
		enum verdict_state state;
		enum reason reason;
	} cases[] = {
		{ "run-0", VERDICT_UP, REASON_MASTER },
		{ "another", VERDICT_DOWN, REASON_RESTARTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shard *shard = new_running(0);
		struct observation observation = master(A);

		shard_move(shard, A, "10.0.0.9", 6380, START + 10);
		assert_null(shard_facts(shard, A));
		assert_incumbent(shard, A);
		assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_UNREACHABLE);
		assert_int_equal(shard_probe_interval_ms(shard), policy.transition_interval_ms);
		observe(shard, A, START + 11, failed(OBSERVATION_MISSED));
		assert_verdict(shard, WRITE, A, VERDICT_DOWN, REASON_UNREACHABLE);
		snprintf(observation.info.run_id, sizeof(observation.info.run_id), "%s",
			 cases[i].run_id);
		observe(shard, A, START + 12, observation);
		assert_verdict(shard, WRITE, A, cases[i].state, cases[i].reason);
		shard_free(shard);
	}
}

static void test_moved_replica(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	assert_verdict(shard, READ, B, VERDICT_UP, REASON_FRESH);
	shard_move(shard, B, "10.0.0.8", 6379, START + 10);
	assert_verdict(shard, READ, B, VERDICT_DOWN, REASON_UNREACHABLE);
	assert_verdict(shard, WRITE, A, VERDICT_UP, REASON_MASTER);
	observe(shard, B, START + 11, master(B));
	assert_incumbent(shard, A);
	assert_verdict(shard, WRITE, B, VERDICT_DOWN, REASON_SECOND_MASTER);
	observe(shard, B, START + 12, replica(B, "10.0.0.1"));
	assert_verdict(shard, READ, B, VERDICT_UP, REASON_FRESH);
	shard_free(shard);
}

/* Replicas name the master by its new address. */
static void test_moved_is_followed(void **state)
{
	struct shard *shard = new_running(0);

	(void)state;
	shard_move(shard, A, "10.0.0.9", 6379, START + 10);
	observe(shard, A, START + 11, master(A));
	observe(shard, B, START + 12, replica(B, "10.0.0.9"));
	assert_int_equal(picture_at(shard_picture(shard), WRITE, B)->peer, A);
	shard_free(shard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heir_offset),
		cmocka_unit_test(test_no_heir),
		cmocka_unit_test(test_returned_is_no_heir),
		cmocka_unit_test(test_old_words),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_without_ids),
		cmocka_unit_test(test_names_of_a_master),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_reads_on_master),
		cmocka_unit_test(test_panic),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_moved_incumbent),
		cmocka_unit_test(test_moved_replica),
		cmocka_unit_test(test_moved_is_followed),
	};

	return cmocka_run_group_tests_name("core/shard rows", tests, NULL, NULL);
}
