/*
 * A shard: takes facts, keeps them with its members, evaluates the whole after each. It owns the
 * picture and the list of what changed. The decision itself stands in incumbent.c (stage 1),
 * master_pool.c and replica_pool.c (stage 2).
 */
#include "core/shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/incumbent.h"
#include "core/master_pool.h"
#include "core/replica_pool.h"
#include "core/shard_state.h"

/* A transition ends when the picture has been steady so long, or after so long in all. */
#define TRANSITION_STEADY_MS 1000
#define TRANSITION_MAX_MS    10000

/* So many nodes silent within one interval: it is rather us than them. */
#define TILT_NODES 3

struct shard *shard_new(const struct shard_setup *setup, int64_t now_ms)
{
	struct shard *shard = mem_calloc(1, sizeof(*shard));
	size_t verdicts = setup->pool_count * setup->node_count;

	shard->policy = setup->policy;
	shard->member_count = setup->node_count;
	shard->members = mem_calloc(setup->node_count, sizeof(*shard->members));
	for (size_t i = 0; i < setup->node_count; i++)
		member_init(&shard->members[i], setup->nodes[i].name, setup->nodes[i].host,
			    setup->nodes[i].port);
	shard->pool_count = setup->pool_count;
	shard->pools = mem_calloc(setup->pool_count, sizeof(*shard->pools));
	memcpy(shard->pools, setup->pools, setup->pool_count * sizeof(*shard->pools));
	shard->opinion_count = setup->sentinel_count;
	shard->opinions = mem_calloc(setup->sentinel_count, sizeof(*shard->opinions));
	shard->incumbent = (struct incumbent){ .node = -1, .epoch = -1 };
	shard->start_ms = shard->now_ms = now_ms;
	shard->deadline_ms = now_ms;
	shard->picture = (struct picture){
		.pools = setup->pool_count,
		.nodes = setup->node_count,
		.verdicts = mem_calloc(verdicts, sizeof(struct verdict)),
		.incumbent = -1,
	};
	for (size_t i = 0; i < verdicts; i++)
		shard->picture.verdicts[i].peer = -1;
	shard->office = mem_calloc(setup->node_count, sizeof(*shard->office));
	for (size_t i = 0; i < setup->node_count; i++)
		shard->office[i].peer = -1;
	shard->previous = mem_calloc(verdicts, sizeof(*shard->previous));
	shard->changes = mem_calloc(verdicts, sizeof(*shard->changes));
	return shard;
}

void shard_free(struct shard *shard)
{
	if (!shard)
		return;
	for (size_t i = 0; i < shard->member_count; i++)
		member_done(&shard->members[i]);
	free(shard->members);
	free(shard->pools);
	free(shard->opinions);
	free(shard->picture.verdicts);
	free(shard->office);
	free(shard->previous);
	free(shard->changes);
	free(shard);
}

bool shard_is_fresh(const struct shard *shard, const struct member *member)
{
	return member->answered_ms &&
	       shard->now_ms <= member_fresh_until_ms(member, &shard->policy, shard->disturbed_ms);
}

bool shard_is_out_of_reach(const struct shard *shard, const struct member *member)
{
	bool anybody_answered = false;

	for (size_t i = 0; i < shard->member_count; i++)
		anybody_answered |= shard->members[i].answered_ms != 0;
	return member_is_dead(member) ||
	       (anybody_answered && member_is_unreachable(member, &shard->policy));
}

bool shard_is_claimant(const struct shard *shard, const struct member *member)
{
	bool is_incumbent = shard->incumbent.node == (int)(member - shard->members) &&
			    !shard_is_restarted(shard);

	return !is_incumbent && member_is_master(member) && member->info_reply == REPLY_OK &&
	       member_is_serving(member) && !member->misses && !member_is_dead(member) &&
	       shard_is_fresh(shard, member) && !shard_is_tilted(shard, member);
}

bool shard_is_restarted(const struct shard *shard)
{
	const struct incumbent *incumbent = &shard->incumbent;
	const char *run_id;

	if (incumbent->node < 0)
		return false;
	run_id = shard->members[incumbent->node].facts.info.run_id;
	return incumbent->run_id[0] && run_id[0] && strcmp(incumbent->run_id, run_id) != 0;
}

/* A replica names its master as it was told to: by the configured name, or by the address we reach.
 */
static bool answers_to(const struct member *member, const char *host, int64_t port)
{
	return member->port == port && host[0] &&
	       (strcmp(member->host, host) == 0 ||
		(member->known && strcmp(member->facts.peer, host) == 0));
}

int shard_find_followed(const struct shard *shard, const struct member *replica)
{
	const struct info *info = &replica->facts.info;

	for (size_t i = 0; i < shard->member_count; i++)
		if (&shard->members[i] != replica &&
		    answers_to(&shard->members[i], info->master_host, info->master_port))
			return (int)i;
	return -1;
}

int shard_find_root(const struct shard *shard, const struct member *replica)
{
	int node = -1;

	/* As many steps as members: a ring of replicas ends nowhere. */
	for (size_t steps = 0; steps < shard->member_count; steps++) {
		node = shard_find_followed(shard, replica);
		if (node < 0 || !member_is_replica(&shard->members[node]))
			return node;
		replica = &shard->members[node];
	}
	return -1;
}

static int64_t tilt_until_ms(const struct shard *shard)
{
	return shard->disturbed_ms ? shard->disturbed_ms + shard->policy.tilt_ms : 0;
}

bool shard_is_tilted(const struct shard *shard, const struct member *member)
{
	return shard->now_ms < tilt_until_ms(shard) && member->told_ms < shard->disturbed_ms;
}

static bool anybody(const struct shard *shard, bool (*is)(const struct member *member))
{
	for (size_t i = 0; i < shard->member_count; i++)
		if (is(&shard->members[i]))
			return true;
	return false;
}

static bool is_without_access(const struct member *member)
{
	return member->heard && member->outcome == OBSERVATION_ANSWERED &&
	       member->info_reply == REPLY_NO_ACCESS;
}

/* One answer is not enough: a promoted node needs two to be admitted. */
static bool has_second_master(const struct shard *shard)
{
	for (size_t i = 0; i < shard->member_count; i++)
		if (shard->incumbent.node >= 0 && shard->incumbent.node != (int)i &&
		    shard->members[i].claims > 1 && shard_is_claimant(shard, &shard->members[i]))
			return true;
	return false;
}

static bool has_open_master(const struct shard *shard)
{
	bool any_pool = false;

	for (size_t p = 0; p < shard->pool_count; p++) {
		if (shard->pools[p].role != POOL_MASTER)
			continue;
		any_pool = true;
		for (size_t n = 0; n < shard->member_count; n++)
			if (picture_at(&shard->picture, p, n)->state == VERDICT_UP)
				return true;
	}
	return !any_pool;
}

static bool is_complete(const struct shard *shard)
{
	for (size_t i = 0; i < shard->member_count; i++)
		if (!shard->members[i].heard)
			return false;
	return true;
}

static bool is_without_master(struct shard *shard)
{
	/* A node that moved makes the picture incomplete once more: that is no reason for joy. */
	if ((!shard->picture.complete && !shard->no_master_ms) || has_open_master(shard)) {
		shard->no_master_ms = 0;
		return false;
	}
	if (!shard->no_master_ms)
		shard->no_master_ms = shard->now_ms;
	return shard_has_lasted(shard, shard->no_master_ms, shard->policy.no_master_after_ms);
}

static unsigned int find_alarms(struct shard *shard)
{
	unsigned int alarms = 0;

	alarms |= shard->tie ? ALARM_TIE : 0;
	alarms |= has_second_master(shard) ? ALARM_SECOND_MASTER : 0;
	alarms |= is_without_master(shard) ? ALARM_NO_MASTER : 0;
	alarms |= anybody(shard, is_without_access) ? ALARM_NO_ACCESS : 0;
	alarms |= anybody(shard, member_is_unsupported) ? ALARM_UNSUPPORTED : 0;
	alarms |= shard->now_ms < tilt_until_ms(shard) ? ALARM_TILT : 0;
	return alarms;
}

/* The master pools all say the same, and the replica pools ask for it: it is judged once. */
static void judge_pools(struct shard *shard)
{
	for (size_t n = 0; n < shard->member_count; n++)
		shard->office[n] = master_pool_judge(shard, &shard->members[n], &shard->office[n]);
	for (size_t p = 0; p < shard->pool_count; p++) {
		struct verdict *verdicts = picture_at(&shard->picture, p, 0);

		if (shard->pools[p].role == POOL_REPLICA)
			replica_pool_judge(shard, &shard->pools[p],
					   &shard->previous[p * shard->member_count], verdicts);
		else
			memcpy(verdicts, shard->office, shard->member_count * sizeof(*verdicts));
	}
}

static void list_changes(struct shard *shard)
{
	shard->change_count = 0;
	for (size_t p = 0; p < shard->pool_count; p++) {
		for (size_t n = 0; n < shard->member_count; n++) {
			const struct verdict *was = &shard->previous[p * shard->member_count + n];
			const struct verdict *is = picture_at(&shard->picture, p, n);

			if (verdict_equal(was, is))
				continue;
			shard->changes[shard->change_count++] = (struct shard_change){
				.pool = p,
				.node = n,
				.was = *was,
				.is = *is,
				.fact_ms = shard->members[n].answered_ms,
			};
		}
	}
}

static void begin_transition(struct shard *shard)
{
	if (!shard->transition_ms)
		shard->transition_ms = shard->now_ms;
	shard->steady_ms = shard->now_ms;
}

static void end_transition(struct shard *shard)
{
	if (shard->transition_ms && shard->change_count > 0)
		shard->steady_ms = shard->now_ms;
	if (shard->transition_ms &&
	    (shard_has_lasted(shard, shard->steady_ms, TRANSITION_STEADY_MS) ||
	     shard_has_lasted(shard, shard->transition_ms, TRANSITION_MAX_MS)))
		shard->transition_ms = 0;
}

/* Facts and opinions that grow too old are looked at again in time. */
static void wake_for_age(struct shard *shard)
{
	shard_wake_at(shard, shard->authority.next_change_ms);
	shard_wake_at(shard, tilt_until_ms(shard));
	for (size_t i = 0; i < shard->member_count; i++)
		shard_wake_at(shard, 1 + member_fresh_until_ms(&shard->members[i], &shard->policy,
							       shard->disturbed_ms));
}

static void evaluate(struct shard *shard)
{
	struct picture *picture = &shard->picture;
	size_t verdicts = shard->pool_count * shard->member_count;

	shard->deadline_ms = INT64_MAX;
	shard->authority = authority_judge(shard->opinions, shard->opinion_count, shard->now_ms);
	wake_for_age(shard);
	memcpy(shard->previous, picture->verdicts, verdicts * sizeof(*shard->previous));
	picture->complete = is_complete(shard);
	if (incumbent_choose(shard))
		begin_transition(shard);
	picture->incumbent = shard->incumbent.node;
	picture->admitted_by = shard->incumbent.admitted_by;
	judge_pools(shard);
	picture->alarms = find_alarms(shard);
	list_changes(shard);
	end_transition(shard);
}

static void set_now(struct shard *shard, int64_t now_ms)
{
	if (now_ms > shard->now_ms)
		shard->now_ms = now_ms;
}

static void disturb(struct shard *shard)
{
	shard->disturbed_ms = shard->now_ms;
	for (size_t i = 0; i < shard->member_count; i++)
		member_forgive(&shard->members[i]);
}

/* Of those that told something since the last disturbance, how many fell silent within one
 * interval? */
static bool is_tilt(const struct shard *shard)
{
	size_t silent = 0;

	for (size_t i = 0; i < shard->member_count; i++) {
		const struct member *member = &shard->members[i];

		silent += member->misses == 1 && member->answered_ms > shard->disturbed_ms &&
			  shard->now_ms - member->at_ms <= shard->policy.interval_ms;
	}
	return silent >= TILT_NODES;
}

/* Is its offset standing still behind the master's? */
static void watch_stuck(struct shard *shard, struct member *member, int64_t offset_before)
{
	const struct member *master;
	int64_t offset = member->facts.info.replica_offset;

	if (!member_is_replica(member) || shard->incumbent.node < 0)
		return;
	master = &shard->members[shard->incumbent.node];
	if (offset != offset_before || offset >= master->facts.info.offset)
		member->stuck_ms = 0;
	else if (!member->stuck_ms)
		member->stuck_ms = shard->now_ms;
}

/* Has it gone over to a history that descends from the incumbent's, before the agent has? */
static void watch_ahead(const struct shard *shard, struct member *member)
{
	const struct info *info = &member->facts.info;
	const char *replid = shard->incumbent.replid;

	if (!member_is_replica(member) || !replid[0] || strcmp(info->replid, replid) == 0 ||
	    strcmp(info->replid2, replid) != 0)
		member->ahead_ms = 0;
	else if (!member->ahead_ms)
		member->ahead_ms = shard->now_ms;
}

static void refresh_incumbent(struct shard *shard, const struct member *member)
{
	struct incumbent *incumbent = &shard->incumbent;

	if (member - shard->members != incumbent->node || !member_is_master(member) ||
	    shard_is_restarted(shard))
		return;
	memcpy(incumbent->replid, member->facts.info.replid, INFO_ID_SIZE);
	incumbent->master_ms = member->facts.at_ms;
	incumbent->offset = member->facts.info.offset;
}

static bool is_same_info(const struct info *a, const struct info *b)
{
	return a->role == b->role && a->loading == b->loading && a->link_up == b->link_up &&
	       a->offset == b->offset && strcmp(a->run_id, b->run_id) == 0 &&
	       strcmp(a->replid, b->replid) == 0;
}

/*
 * The same round again? Two rounds may fall into one millisecond: a refusal right after an answer
 * is another.
 */
static bool is_repeated(const struct member *member, const struct observation *observation)
{
	if (!member->heard || observation->sent_ms != member->sent_ms ||
	    observation->at_ms != member->at_ms || observation->outcome != member->outcome)
		return false;
	if (observation->outcome != OBSERVATION_ANSWERED)
		return true;
	return observation->info_reply == member->info_reply &&
	       observation->ping_reply == member->ping_reply &&
	       (observation->info_reply != REPLY_OK ||
		is_same_info(&observation->info, &member->facts.info));
}

void shard_observe(struct shard *shard, size_t node, const struct observation *observation,
		   int64_t now_ms)
{
	struct member *member = &shard->members[node];
	int64_t offset_before = member->facts.info.replica_offset;
	struct member_news news;

	set_now(shard, now_ms);
	if (is_repeated(member, observation)) {
		evaluate(shard);
		return;
	}
	news = member_observe(member, observation, shard->incumbent.node == (int)node);
	if (observation->outcome == OBSERVATION_ANSWERED && observation->info_reply == REPLY_OK) {
		watch_stuck(shard, member, offset_before);
		watch_ahead(shard, member);
		refresh_incumbent(shard, member);
	}
	if (news.hint)
		begin_transition(shard);
	if (news.first_miss && is_tilt(shard))
		disturb(shard);
	evaluate(shard);
}

void shard_move(struct shard *shard, size_t node, const char *host, uint16_t port, int64_t now_ms)
{
	set_now(shard, now_ms);
	member_move(&shard->members[node], host, port);
	begin_transition(shard);
	evaluate(shard);
}

void shard_opine(struct shard *shard, size_t sentinel, const struct opinion *opinion,
		 int64_t now_ms)
{
	set_now(shard, now_ms);
	shard->opinions[sentinel] = *opinion;
	evaluate(shard);
}

void shard_disturb(struct shard *shard, int64_t now_ms)
{
	set_now(shard, now_ms);
	disturb(shard);
	evaluate(shard);
}

void shard_tick(struct shard *shard, int64_t now_ms)
{
	set_now(shard, now_ms);
	evaluate(shard);
}

const struct picture *shard_picture(const struct shard *shard)
{
	return &shard->picture;
}

size_t shard_changes(const struct shard *shard, const struct shard_change **ret_changes)
{
	*ret_changes = shard->changes;
	return shard->change_count;
}

int64_t shard_deadline_ms(const struct shard *shard)
{
	return shard->deadline_ms;
}

int64_t shard_probe_interval_ms(const struct shard *shard)
{
	return shard->transition_ms ? shard->policy.transition_interval_ms
				    : shard->policy.interval_ms;
}

const struct observation *shard_facts(const struct shard *shard, size_t node)
{
	return shard->members[node].known ? &shard->members[node].facts : NULL;
}
