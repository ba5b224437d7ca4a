/* What a member remembers of its observations: identity, claims, misses, links, marks. */
#include "core/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct shard_policy policy = { .interval_ms = 200, .timeout_ms = 500, .fall = 3 };

static struct observation answer(int64_t sent_ms, enum info_role role, const char *run_id)
{
	struct observation observation = {
		.outcome = OBSERVATION_ANSWERED,
		.info_reply = REPLY_OK,
		.ping_reply = REPLY_OK,
		.sent_ms = sent_ms,
		.at_ms = sent_ms + 1,
	};

	info_init(&observation.info);
	observation.info.role = role;
	observation.info.link_up = role == INFO_ROLE_REPLICA ? 1 : INFO_UNKNOWN;
	snprintf(observation.info.run_id, sizeof(observation.info.run_id), "%s", run_id);
	snprintf(observation.info.replid, sizeof(observation.info.replid), "history");
	return observation;
}

static struct observation failure(int64_t sent_ms, enum observation_outcome outcome)
{
	return (struct observation){ .outcome = outcome,
				     .sent_ms = sent_ms,
				     .at_ms = sent_ms + 500 };
}

static struct member_news observe(struct member *member, struct observation observation)
{
	return member_observe(member, &observation, false);
}

static int setup(void **state)
{
	static struct member member;

	member_init(&member, "a", "10.0.0.1", 6379);
	*state = &member;
	return 0;
}

static int teardown(void **state)
{
	member_done(*state);
	return 0;
}

static void test_new(void **state)
{
	struct member *member = *state;

	assert_string_equal(member->name, "a");
	assert_false(member->heard || member->known || member_is_dead(member));
	assert_false(member_is_unreachable(member, &policy));
	assert_false(member_is_master(member) || member_is_replica(member));
	assert_false(member_is_unsupported(member) || member_is_known_replica(member));
}

static void test_misses(void **state)
{
	struct member *member = *state;
	struct member_news news;

	observe(member, answer(1000, INFO_ROLE_MASTER, "r1"));
	news = observe(member, failure(1200, OBSERVATION_MISSED));
	assert_true(news.first_miss && !news.hint);
	news = observe(member, failure(1700, OBSERVATION_MISSED));
	assert_false(news.first_miss || news.hint);
	assert_false(member_is_unreachable(member, &policy));
	observe(member, failure(2200, OBSERVATION_MISSED));
	assert_true(member_is_unreachable(member, &policy));
	assert_false(member_is_dead(member));
	member_forgive(member);
	assert_false(member_is_unreachable(member, &policy));
	observe(member, failure(2700, OBSERVATION_MISSED));
	observe(member, answer(3200, INFO_ROLE_MASTER, "r1"));
	assert_int_equal(member->misses, 0);
	assert_int_equal(member->told_ms, 3200);
	assert_int_equal(member->answered_ms, 3201);
}

/* Refused once is dead until it answers: a host that shuts down is dark after that. */
static void test_refused(void **state)
{
	struct member *member = *state;

	observe(member, answer(1000, INFO_ROLE_MASTER, "r1"));
	assert_true(observe(member, failure(1200, OBSERVATION_REFUSED)).hint);
	assert_true(member_is_dead(member) && member_is_unreachable(member, &policy));
	assert_false(observe(member, failure(1300, OBSERVATION_REFUSED)).hint);
	observe(member, failure(1400, OBSERVATION_MISSED));
	assert_false(member_is_dead(member));
	assert_true(member_is_unreachable(member, &policy));
	observe(member, answer(2000, INFO_ROLE_MASTER, "r1"));
	assert_false(member_is_unreachable(member, &policy));
}

static void test_claims(void **state)
{
	struct member *member = *state;
	struct observation busy = answer(1600, INFO_ROLE_MASTER, "r1");

	busy.info_reply = REPLY_BUSY;
	observe(member, answer(1000, INFO_ROLE_MASTER, "r1"));
	observe(member, answer(1200, INFO_ROLE_MASTER, "r1"));
	assert_int_equal(member->claims, 2);
	assert_int_equal(member->claim_ms, 1001);
	observe(member, busy);
	assert_int_equal(member->claims, 0);
	observe(member, answer(1800, INFO_ROLE_MASTER, "r1"));
	assert_int_equal(member->claims, 1);
	observe(member, failure(2000, OBSERVATION_MISSED));
	assert_int_equal(member->claims, 0);
	observe(member, answer(2600, INFO_ROLE_MASTER, "r1"));
	observe(member, failure(2800, OBSERVATION_REFUSED));
	assert_int_equal(member->claims, 0);
	/* A restart or silence does not begin the claim anew; an answer as replica does. */
	observe(member, answer(4000, INFO_ROLE_MASTER, "r2"));
	assert_int_equal(member->claim_ms, 1001);
	observe(member, answer(5000, INFO_ROLE_REPLICA, "r2"));
	assert_int_equal(member->claims, 0);
	observe(member, answer(6000, INFO_ROLE_MASTER, "r2"));
	assert_int_equal(member->claim_ms, 6001);
}

static void test_identity(void **state)
{
	struct member *member = *state;

	assert_false(observe(member, answer(1000, INFO_ROLE_REPLICA, "r1")).hint);
	assert_true(member_is_known_replica(member));
	assert_true(observe(member, answer(1200, INFO_ROLE_MASTER, "r1")).hint);
	assert_true(member_is_known_replica(member));
	assert_false(member->returned);
	/* Another process at the same address: a replica was known, not this one. */
	assert_true(observe(member, answer(1400, INFO_ROLE_MASTER, "r2")).hint);
	assert_false(member_is_known_replica(member));
	assert_true(member->returned);
	/* A replica whose link is not up yet keeps the mark. */
	struct observation replica = answer(1600, INFO_ROLE_REPLICA, "r2");

	replica.info.link_up = 0;
	observe(member, replica);
	assert_true(member->returned);
	observe(member, answer(1800, INFO_ROLE_REPLICA, "r2"));
	assert_false(member->returned);
	/* The office wipes what it was before. */
	member_admit(member);
	assert_false(member_is_known_replica(member));
}

/* A run id that INFO did not give this time is unknown, not new. */
static void test_missing_run_id(void **state)
{
	struct member *member = *state;

	observe(member, answer(1000, INFO_ROLE_MASTER, "r1"));
	assert_false(observe(member, answer(1200, INFO_ROLE_MASTER, "")).hint);
	assert_false(member->returned);
	assert_false(member_is_known_replica(member));
}

static void test_office(void **state)
{
	struct member *member = *state;
	struct observation master = answer(1000, INFO_ROLE_MASTER, "r1");

	observe(member, master);
	member_admit(member);
	master = answer(1200, INFO_ROLE_MASTER, "r2");
	member_observe(member, &master, true);
	assert_false(member->returned);
	member_depose(member);
	assert_true(member->returned && member->was_incumbent);
	observe(member, answer(1400, INFO_ROLE_REPLICA, "r2"));
	assert_false(member->returned || member->was_incumbent);
	/* One that was deposed when it had become a replica, with its link down, and says master.
	 */
	member_admit(member);
	master = answer(1600, INFO_ROLE_REPLICA, "r2");
	master.info.link_up = 0;
	observe(member, master);
	member_depose(member);
	assert_false(member->returned);
	observe(member, answer(1800, INFO_ROLE_MASTER, "r2"));
	assert_true(member->returned);
}

static void test_link(void **state)
{
	struct member *member = *state;
	struct observation down = answer(1000000, INFO_ROLE_REPLICA, "r1");

	down.info.link_up = 0;
	down.info.link_down_s = 90;
	observe(member, down);
	assert_int_equal(member->link_lost_ms, 1000001 - 90000);
	down.sent_ms = down.at_ms = 1000200;
	down.info.link_down_s = 95;
	observe(member, down);
	assert_int_equal(member->link_lost_ms, 1000001 - 90000);
	observe(member, answer(1000400, INFO_ROLE_REPLICA, "r1"));
	assert_int_equal(member->link_lost_ms, 0);
	/* "Never up" and "unknown" tell no time. */
	down.sent_ms = down.at_ms = 1000600;
	down.info.link_down_s = -1;
	observe(member, down);
	assert_int_equal(member->link_lost_ms, 1000600);
	observe(member, answer(1000800, INFO_ROLE_MASTER, "r1"));
	assert_int_equal(member->link_lost_ms, 0);
	/* Down since before our own machine's clock began, or since just then. */
	down.sent_ms = down.at_ms = 5000;
	down.info.link_down_s = 90;
	observe(member, down);
	assert_int_equal(member->link_lost_ms, -85000);
	observe(member, answer(5100, INFO_ROLE_REPLICA, "r1"));
	down.sent_ms = down.at_ms = 90000;
	observe(member, down);
	assert_int_not_equal(member->link_lost_ms, 0);
}

/* Since when it follows whom. */
static void test_follows(void **state)
{
	struct member *member = *state;
	struct observation replica = answer(1000, INFO_ROLE_REPLICA, "r1");

	snprintf(replica.info.master_host, sizeof(replica.info.master_host), "b");
	replica.info.master_port = 6379;
	observe(member, replica);
	assert_int_equal(member->follows_ms, 1000);
	replica.sent_ms = replica.at_ms = 1200;
	observe(member, replica);
	assert_int_equal(member->follows_ms, 1000);
	replica.sent_ms = replica.at_ms = 1400;
	replica.info.master_port = 6380;
	observe(member, replica);
	assert_int_equal(member->follows_ms, 1400);
	replica.sent_ms = replica.at_ms = 1600;
	replica.info.master_host[0] = 'c';
	observe(member, replica);
	assert_int_equal(member->follows_ms, 1600);
	observe(member, answer(1800, INFO_ROLE_MASTER, "r1"));
	replica.sent_ms = replica.at_ms = 2000;
	observe(member, replica);
	assert_int_equal(member->follows_ms, 2000);
}

static void test_fresh(void **state)
{
	struct member *member = *state;

	observe(member, answer(1000, INFO_ROLE_MASTER, "r1"));
	assert_int_equal(member_fresh_until_ms(member, &policy, 0), 1001 + 3 * 200 + 500);
	assert_int_equal(member_fresh_until_ms(member, &policy, 5000), 5000 + 3 * 200 + 500);
}

static void test_serving(void **state)
{
	static const struct {
		enum reply_class info_reply, ping_reply;
		int64_t loading;
		bool serving;
	} cases[] = {
		{ REPLY_OK, REPLY_OK, 0, true },
		{ REPLY_OK, REPLY_OK, INFO_UNKNOWN, true },
		{ REPLY_OK, REPLY_OK, 1, false },
		{ REPLY_OK, REPLY_LOADING, 0, false },
		{ REPLY_LOADING, REPLY_LOADING, 0, false },
		{ REPLY_OK, REPLY_MASTERDOWN, 0, false },
		{ REPLY_OK, REPLY_OTHER_ERROR, 0, true },
		{ REPLY_OK, REPLY_NO_ACCESS, 0, true },
		{ REPLY_BUSY, REPLY_BUSY, 0, true },
	};
	struct member *member = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct observation observation = answer(1000, INFO_ROLE_MASTER, "r1");

		observation.info_reply = cases[i].info_reply;
		observation.ping_reply = cases[i].ping_reply;
		observation.info.loading = cases[i].loading;
		observe(member, observation);
		if (member_is_serving(member) != cases[i].serving)
			fail_msg("INFO %d, PING %d, loading %lld: serving is not %d",
				 (int)cases[i].info_reply, (int)cases[i].ping_reply,
				 (long long)cases[i].loading, cases[i].serving);
	}
}

static void test_unsupported(void **state)
{
	struct member *member = *state;

	observe(member, answer(1000, INFO_ROLE_OTHER, "r1"));
	assert_true(member_is_unsupported(member));
	assert_false(member_is_master(member) || member_is_replica(member));
	observe(member, answer(1200, INFO_ROLE_UNKNOWN, "r1"));
	assert_true(member_is_unsupported(member));
	observe(member, answer(1400, INFO_ROLE_REPLICA, "r1"));
	assert_false(member_is_unsupported(member));
}

/* An answer without facts keeps the last ones. */
static void test_facts_stay(void **state)
{
	struct member *member = *state;
	struct observation denied = answer(1200, INFO_ROLE_UNKNOWN, "");

	denied.info_reply = denied.ping_reply = REPLY_NO_ACCESS;
	observe(member, denied);
	assert_false(member->known);
	observe(member, answer(1300, INFO_ROLE_MASTER, "r1"));
	denied.sent_ms = denied.at_ms = 1400;
	observe(member, denied);
	assert_true(member_is_master(member));
	assert_string_equal(member->facts.info.run_id, "r1");
	assert_int_equal(member->facts.sent_ms, 1300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new),	       TEST(test_misses),   TEST(test_refused),
		TEST(test_claims),     TEST(test_identity), TEST(test_missing_run_id),
		TEST(test_office),     TEST(test_link),	    TEST(test_follows),
		TEST(test_fresh),      TEST(test_serving),  TEST(test_unsupported),
		TEST(test_facts_stay),
	};

	return cmocka_run_group_tests_name("core/member", tests, NULL, NULL);
}
