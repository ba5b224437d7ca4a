/*
 * The shard as its callers see it, with observations made by hand: deadlines to the millisecond,
 * what a repeated input changes, servers that lack fields, and the policies of a pool. What happens
 * in a group of nodes over time is told by the timelines in tests/scenario.
 */
#include "core/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/authority.h"

enum { A, B, C, NODES };
enum { WRITE, READ, NEVER, ALWAYS, TWO, NONE, POOLS };

#define START 100000

static const struct shard_policy policy = {
	.interval_ms = 200,
	.timeout_ms = 500,
	.transition_interval_ms = 10,
	.fall = 3,
	.tilt_ms = 2000,
	.orphan_confirm_ms = 2000,
	.link_grace_ms = 5000,
	.orphan_grace_ms = 60000,
};

#define READERS(reads, readers, when_nothing_fits)                                          \
	{                                                                                   \
		.role = POOL_REPLICA, .reads_on_master = (reads), .min_readers = (readers), \
		.master_weight = 70, .min_weight = 10, .panic = (when_nothing_fits)         \
	}

static const struct pool_policy pools[POOLS] = {
	[WRITE] = { .role = POOL_MASTER },
	[READ] = READERS(READS_FALLBACK, 1, PANIC_LEAST_BAD),
	[NEVER] = READERS(READS_NEVER, 1, PANIC_LEAST_BAD),
	[ALWAYS] = READERS(READS_ALWAYS, 1, PANIC_LEAST_BAD),
	[TWO] = READERS(READS_FALLBACK, 2, PANIC_LEAST_BAD),
	[NONE] = READERS(READS_FALLBACK, 1, PANIC_NONE),
};

static struct shard *new_shard(size_t sentinels)
{
	static const struct shard_node_setup nodes[NODES] = {
		{ "a", "10.0.0.1", 6379 },
		{ "b", "redis-b", 6379 },
		{ "c", "10.0.0.3", 6379 },
	};

	return shard_new(&(struct shard_setup){ .policy = policy,
						.nodes = nodes,
						.node_count = NODES,
						.pools = pools,
						.pool_count = POOLS,
						.sentinel_count = sentinels },
			 START);
}

static struct observation answer(int node, enum info_role role)
{
	struct observation observation = { .outcome = OBSERVATION_ANSWERED,
					   .info_reply = REPLY_OK,
					   .ping_reply = REPLY_OK };
	struct info *info = &observation.info;

	info_init(info);
	info->role = role;
	info->offset = 500;
	info->second_offset = -1;
	snprintf(info->run_id, sizeof(info->run_id), "run-%d", node);
	snprintf(info->replid, sizeof(info->replid), "history");
	snprintf(observation.peer, sizeof(observation.peer), "10.0.0.%d", node + 1);
	return observation;
}

static struct observation master(int node)
{
	return answer(node, INFO_ROLE_MASTER);
}

static struct observation replica(int node, const char *host)
{
	struct observation observation = answer(node, INFO_ROLE_REPLICA);
	struct info *info = &observation.info;

	snprintf(info->master_host, sizeof(info->master_host), "%s", host);
	info->master_port = 6379;
	info->link_up = 1;
	info->last_io_s = 0;
	info->sync_in_progress = 0;
	info->replica_offset = 500;
	return observation;
}

static struct observation cut_off(int node, const char *host, int64_t offset)
{
	struct observation observation = replica(node, host);

	observation.info.link_up = 0;
	observation.info.link_down_s = 0;
	observation.info.replica_offset = offset;
	return observation;
}

static struct observation promoted(int node)
{
	struct observation observation = master(node);
	struct info *info = &observation.info;

	snprintf(info->replid, sizeof(info->replid), "history-of-%d", node);
	snprintf(info->replid2, sizeof(info->replid2), "history");
	info->second_offset = 501;
	return observation;
}

static struct observation failed(enum observation_outcome outcome)
{
	return (struct observation){ .outcome = outcome };
}

/* A deadline lies ahead, whatever came in. */
static void check_deadline(const struct shard *shard, int64_t now_ms)
{
	if (shard_deadline_ms(shard) <= now_ms)
		fail_msg("at %lld the deadline is %lld", (long long)now_ms,
			 (long long)shard_deadline_ms(shard));
}

/* The round took a millisecond. */
static void observe(struct shard *shard, int node, int64_t now_ms, struct observation observation)
{
	observation.sent_ms = now_ms - 1;
	observation.at_ms = now_ms;
	shard_observe(shard, (size_t)node, &observation, now_ms);
	check_deadline(shard, now_ms);
}

static void tick(struct shard *shard, int64_t now_ms)
{
	shard_tick(shard, now_ms);
	check_deadline(shard, now_ms);
}

#define assert_verdict(shard, pool, node, expected_state, expected_reason) \
	check_verdict(shard, pool, node, expected_state, expected_reason, __LINE__)

static void check_verdict(const struct shard *shard, int pool, int node, enum verdict_state state,
			  enum reason reason, int line)
{
	const struct verdict *is = picture_at(shard_picture(shard), (size_t)pool, (size_t)node);

	if (is->state != state || is->reason != reason)
		fail_msg("line %d: node %d in pool %d is %s (%s), not %s (%s)", line, node, pool,
			 verdict_state_name(is->state), reason_token(is->reason),
			 verdict_state_name(state), reason_token(reason));
}

static void assert_incumbent(const struct shard *shard, int node)
{
	assert_int_equal(shard_picture(shard)->incumbent, node);
}

static void observe_group(struct shard *shard, int64_t now_ms)
{
	observe(shard, A, now_ms, master(A));
	observe(shard, B, now_ms, replica(B, "10.0.0.1"));
	observe(shard, C, now_ms, replica(C, "10.0.0.1"));
}

static struct shard *new_running(size_t sentinels)
{
	struct shard *shard = new_shard(sentinels);

	observe_group(shard, START + 1);
	assert_incumbent(shard, A);
	return shard;
}

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
static void tick_until(struct shard *shard, int64_t until_ms)
{
	while (shard_deadline_ms(shard) <= until_ms)
		tick(shard, shard_deadline_ms(shard));
}

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
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_opinion_lapses),
		cmocka_unit_test(test_silence_is_not_death),
	};

	return cmocka_run_group_tests_name("core/shard", tests, NULL, NULL);
}
