/*
 * The verdicts in a replica pool. Each replica is first judged for itself, by rows, first match
 * wins; then the pool as a whole: whether the master must serve reads, and what to do when nothing
 * fit is left.
 */
#include "core/replica_pool.h"

#include "core/master_pool.h"
#include "core/shard_state.h"

#include <string.h>

struct row {
	const char *name; /* as in the manual */
	bool (*fits)(struct shard *shard, const struct member *replica);
	enum verdict_state state;
	enum reason reason;
};

/* R9: it refuses reads. While it loads what its master sent, that is R7's. */
static bool is_not_serving(struct shard *shard, const struct member *replica)
{
	(void)shard;
	return !member_is_serving(replica) && replica->facts.info.sync_in_progress != 1;
}

/* R6: it never had a copy. Offset 1 is what Redis says of a fresh replica. */
static bool is_never_synced(struct shard *shard, const struct member *replica)
{
	const struct info *info = &replica->facts.info;

	(void)shard;
	return info->link_up == 0 && info->link_down_s < 0 && info->replica_offset <= 1;
}

/* R7: its old data is gone or going. */
static bool is_loading_copy(struct shard *shard, const struct member *replica)
{
	(void)shard;
	return replica->facts.info.sync_in_progress == 1 && !member_is_serving(replica);
}

/* R7: a new copy is on its way; it still serves the old one. */
static bool is_syncing(struct shard *shard, const struct member *replica)
{
	(void)shard;
	return replica->facts.info.sync_in_progress == 1;
}

/*
 * R11: another history than the incumbent's, or than its node's since that restarted. Its former
 * one (replid2) passes for orphan_grace: replicas follow the old master for about a second longer.
 * One that descends from the incumbent's passes for link_grace: in a handover a replica may be
 * ahead of the agent. Servers without replication ids pass too.
 */
static bool is_foreign(struct shard *shard, const struct member *replica)
{
	const struct incumbent *incumbent = &shard->incumbent;
	const char *replid = replica->facts.info.replid;
	const struct info *master;

	if (incumbent->node < 0 || replica == &shard->members[incumbent->node] || !replid[0] ||
	    !incumbent->replid[0] || strcmp(replid, incumbent->replid) == 0)
		return false;
	master = &shard->members[incumbent->node].facts.info;
	if (strcmp(replid, master->replid) == 0)
		return false;
	if (replica->ahead_ms)
		return shard_has_lasted(shard, replica->ahead_ms, shard->policy.link_grace_ms);
	return strcmp(replid, master->replid2) != 0 ||
	       shard_has_lasted(shard, incumbent->admitted_ms, shard->policy.orphan_grace_ms);
}

/* Its link is down; or up, but silent while the master moves on (packets dropped without a word).
 */
static bool is_link_lost(struct shard *shard, const struct member *replica)
{
	const struct info *info = &replica->facts.info;
	int64_t grace_ms = shard->policy.link_grace_ms;

	if (info->link_up != 1)
		return true;
	return replica->stuck_ms && info->last_io_s * 1000 >= grace_ms &&
	       shard_has_lasted(shard, replica->stuck_ms, grace_ms);
}

static int64_t link_lost_ms(const struct member *replica)
{
	return replica->link_lost_ms ? replica->link_lost_ms : replica->stuck_ms;
}

/* The node that it follows is unreachable, or is the master no more. */
static bool is_orphan(struct shard *shard, const struct member *replica)
{
	int root = shard_find_root(shard, replica);

	return root >= 0 && (root != shard->incumbent.node ||
			     member_is_unreachable(&shard->members[root], &shard->policy));
}

/* R5 */
static bool is_orphan_in_grace(struct shard *shard, const struct member *replica)
{
	return is_link_lost(shard, replica) && is_orphan(shard, replica) &&
	       !shard_has_lasted(shard, link_lost_ms(replica), shard->policy.orphan_grace_ms);
}

/* R4, not yet: links come back. */
static bool is_link_in_grace(struct shard *shard, const struct member *replica)
{
	return is_link_lost(shard, replica) && replica->facts.info.link_up != 1 &&
	       !shard_has_lasted(shard, link_lost_ms(replica), shard->policy.link_grace_ms);
}

/* R4, later down: its sessions have read old data for long enough. */
static bool is_link_long_gone(struct shard *shard, const struct member *replica)
{
	return is_link_lost(shard, replica) &&
	       shard_has_lasted(shard, link_lost_ms(replica),
				shard->policy.link_grace_ms + shard->policy.orphan_grace_ms);
}

/* R1 */
static bool is_fresh(struct shard *shard, const struct member *replica)
{
	(void)shard;
	(void)replica;
	return true;
}

static const struct row rows[] = {
	{ "R9", is_not_serving, VERDICT_DOWN, REASON_NOT_SERVING },
	{ "R6", is_never_synced, VERDICT_DOWN, REASON_NEVER_SYNCED },
	{ "R7", is_loading_copy, VERDICT_DOWN, REASON_SYNCING },
	{ "R7", is_syncing, VERDICT_DRAIN, REASON_SYNCING },
	{ "R11", is_foreign, VERDICT_DOWN, REASON_FOREIGN },
	{ "R5", is_orphan_in_grace, VERDICT_UP, REASON_ORPHAN },
	{ "R4", is_link_in_grace, VERDICT_UP, REASON_LINK_GRACE },
	{ "R4", is_link_long_gone, VERDICT_DOWN, REASON_LINK_DOWN },
	{ "R4", is_link_lost, VERDICT_DRAIN, REASON_LINK_DOWN },
	{ "R1", is_fresh, VERDICT_UP, REASON_FRESH },
};

static struct verdict say(enum verdict_state state, enum reason reason, int weight)
{
	return (struct verdict){
		.state = state,
		.reason = reason,
		.weight = state == VERDICT_UP ? weight : 0,
		.peer = -1,
	};
}

static struct verdict judge_replica(struct shard *shard, const struct member *replica)
{
	const struct row *row = rows;

	while (!row->fits(shard, replica))
		row++;
	return say(row->state, row->reason, 100);
}

/* Everybody for itself. The incumbent's place is decided later, with the whole pool in view. */
static struct verdict judge_member(struct shard *shard, const struct member *member,
				   const struct verdict *previous)
{
	enum reason reason;

	if (!shard_is_tilted(shard, member) && shard_is_out_of_reach(shard, member))
		return say(VERDICT_DOWN, REASON_UNREACHABLE, 0);
	if (member_is_unclear(shard, member, &reason)) /* R16 */
		return verdict_hold(previous, reason);
	if (!member->known)
		return say(VERDICT_DOWN, REASON_NOT_SERVING, 0);
	if (member_is_unsupported(member))
		return say(VERDICT_UNKNOWN, REASON_UNSUPPORTED, 0);
	if (member_is_replica(member))
		return judge_replica(shard, member);
	return shard->office[member - shard->members];
}

static size_t count_up(const struct shard *shard, const struct verdict *verdicts, int but)
{
	size_t up = 0;

	for (size_t i = 0; i < shard->member_count; i++)
		up += (int)i != but && verdicts[i].state == VERDICT_UP;
	return up;
}

/*
 * R13 and R14: what the master pools say of it holds here too, unless it is up there. While it is
 * only held up, nothing is known that could open it here.
 */
static struct verdict judge_incumbent(const struct shard *shard, const struct pool_policy *pool,
				      size_t readers, const struct verdict *previous)
{
	const struct verdict *office = &shard->office[shard->incumbent.node];

	if (office->state != VERDICT_UP)
		return *office;
	if (office->held)
		return verdict_hold(previous, office->reason);
	if (pool->reads_on_master == READS_ALWAYS)
		return say(VERDICT_UP, REASON_MASTER, (int)pool->master_weight);
	if (pool->reads_on_master == READS_FALLBACK && readers < (size_t)pool->min_readers)
		return say(VERDICT_UP, REASON_FALLBACK, (int)pool->master_weight);
	return say(VERDICT_STANDBY, REASON_MASTER, 0);
}

static bool is_some_use(const struct verdict *verdict)
{
	return verdict->reason == REASON_LINK_DOWN || verdict->reason == REASON_LEAST_BAD;
}

/* R15: nothing fit and no master: those that got furthest of what has data. */
static void open_least_bad(const struct shard *shard, const struct pool_policy *pool,
			   struct verdict *verdicts)
{
	int64_t best = -1;

	for (size_t i = 0; i < shard->member_count; i++)
		if (is_some_use(&verdicts[i]) && shard->members[i].facts.info.replica_offset > best)
			best = shard->members[i].facts.info.replica_offset;
	for (size_t i = 0; i < shard->member_count; i++)
		if (is_some_use(&verdicts[i]) &&
		    shard->members[i].facts.info.replica_offset == best)
			verdicts[i] = say(VERDICT_UP, REASON_LEAST_BAD, (int)pool->min_weight);
}

static bool has_current_master(const struct shard *shard)
{
	int incumbent = shard->incumbent.node;

	return incumbent >= 0 && shard->office[incumbent].state == VERDICT_UP &&
	       !shard->office[incumbent].held;
}

void replica_pool_judge(struct shard *shard, const struct pool_policy *pool,
			const struct verdict *previous, struct verdict *verdicts)
{
	int incumbent = shard->incumbent.node;

	for (size_t i = 0; i < shard->member_count; i++)
		if ((int)i != incumbent)
			verdicts[i] = judge_member(shard, &shard->members[i], &previous[i]);
	if (incumbent >= 0 && member_is_replica(&shard->members[incumbent]))
		verdicts[incumbent] =
			judge_member(shard, &shard->members[incumbent], &previous[incumbent]);
	else if (incumbent >= 0)
		verdicts[incumbent] = judge_incumbent(
			shard, pool, count_up(shard, verdicts, incumbent), &previous[incumbent]);
	if (pool->panic == PANIC_LEAST_BAD && count_up(shard, verdicts, -1) == 0 &&
	    !has_current_master(shard))
		open_least_bad(shard, pool, verdicts);
	for (size_t i = 0; i < shard->member_count; i++)
		verdicts[i].dead = member_is_dead(&shard->members[i]);
}
