/*
 * Who is the incumbent. The rows are data: a test of one claimant, and why it is admitted. A node's
 * own word makes it a claimant and nothing more; each row asks for proof beyond it. Row by row,
 * over all claimants: one match admits, two in the same row admit nobody.
 *
 * A row's test sees facts and memory only, never an index or an order.
 */
#include "core/incumbent.h"

#include <string.h>

#include "core/shard_state.h"

struct row {
	const char *name; /* as in the manual */
	bool (*admits)(struct shard *shard, const struct member *claimant);
	enum reason reason;
};

static struct member *incumbent_member(const struct shard *shard)
{
	return &shard->members[shard->incumbent.node];
}

/* A live replica whose own word is that it follows @master, with its link up. */
static bool is_live_follower(const struct shard *shard, const struct member *replica,
			     const struct member *master)
{
	return shard_is_fresh(shard, replica) && !replica->misses && member_is_replica(replica) &&
	       replica->facts.info.link_up == 1 &&
	       shard_find_followed(shard, replica) == (int)(master - shard->members);
}

static size_t count_followers(const struct shard *shard, const struct member *master)
{
	size_t followers = 0;

	for (size_t i = 0; i < shard->member_count; i++)
		followers += is_live_follower(shard, &shard->members[i], master);
	return followers;
}

/* Nothing is known of some node that is there: any claim might be second to its own. */
static bool somebody_is_unknown(const struct shard *shard)
{
	for (size_t i = 0; i < shard->member_count; i++) {
		const struct member *member = &shard->members[i];

		if (!member->known && !shard_is_out_of_reach(shard, member))
			return true;
	}
	return false;
}

static bool everybody_was_asked(const struct shard *shard)
{
	for (size_t i = 0; i < shard->member_count; i++)
		if (!shard->members[i].heard)
			return false;
	return true;
}

static bool is_first_allowed(struct shard *shard)
{
	return everybody_was_asked(shard) &&
	       shard_has_lasted(shard, shard->start_ms, shard->policy.start_ms) &&
	       shard->authority.majority == OPINION_NOBODY && !shard->authority.failover;
}

static bool succeeds_another(const struct shard *shard, const struct member *claimant)
{
	const char *replid2 = claimant->facts.info.replid2;

	for (size_t i = 0; i < shard->member_count; i++) {
		const struct member *other = &shard->members[i];

		if (other != claimant && replid2[0] && shard_is_claimant(shard, other) &&
		    strcmp(other->facts.info.replid, replid2) == 0)
			return true;
	}
	return false;
}

/*
 * It is there and may be the rightful master, for all we know: it says master, but may be loading,
 * busy or have missed a probe just now; or nothing is known of it. What can't be told of it for a
 * moment must not decide for another.
 */
static bool may_be_master(const struct shard *shard, const struct member *member)
{
	return !shard_is_out_of_reach(shard, member) && !member_is_replica(member) &&
	       !member_is_unsupported(member);
}

/* Of all that may be the master, the most live followers that one has. */
static size_t most_followers(const struct shard *shard, size_t *ret_with_as_many,
			     size_t *ret_rivals)
{
	size_t most = 0;

	*ret_with_as_many = *ret_rivals = 0;
	for (size_t i = 0; i < shard->member_count; i++) {
		struct member *member = &shard->members[i];
		size_t followers = count_followers(shard, member);

		if (!may_be_master(shard, member))
			continue;
		++*ret_rivals;
		if (followers > most)
			*ret_with_as_many = 0;
		if (followers >= most) {
			++*ret_with_as_many;
			most = followers;
		}
	}
	return most;
}

/*
 * A2. A claimant that nobody follows is taken only if it is alone and every node's role is known:
 * with one unknown (a wrong password, say), the rightful master may be the one that we can't see.
 */
static bool is_first_by_proof(struct shard *shard, const struct member *claimant)
{
	size_t with_as_many, rivals;
	size_t most = most_followers(shard, &with_as_many, &rivals);
	size_t followers = count_followers(shard, claimant);

	if (!is_first_allowed(shard) || followers < most)
		return false;
	if (most == 0)
		return rivals == 1;
	return with_as_many == 1 || succeeds_another(shard, claimant);
}

/* A4. The office handed over by its holder: it follows the claimant, by a round begun after the
 * claim. */
static bool is_handed_over(struct shard *shard, const struct member *claimant)
{
	const struct member *incumbent = incumbent_member(shard);

	return incumbent != claimant && member_is_replica(incumbent) &&
	       shard_is_fresh(shard, incumbent) && incumbent->facts.sent_ms >= claimant->claim_ms &&
	       shard_find_root(shard, incumbent) == (int)(claimant - shard->members);
}

/*
 * A descendant of the incumbent: promoted from a replica of its history, at or past the point where
 * we saw it as one. The run id tells it from a replica restarted standalone, which looks the same
 * otherwise.
 */
static bool is_descendant(const struct shard *shard, const struct member *claimant)
{
	const struct info *info = &claimant->facts.info;

	return member_is_known_replica(claimant) && !claimant->returned && info->replid2[0] &&
	       strcmp(info->replid2, shard->incumbent.replid) == 0 &&
	       info->second_offset >= claimant->replica_offset;
}

static bool sentinels_allow_early(const struct authority *authority)
{
	return !authority->known || !authority->all_answer || authority->failover ||
	       authority->master_down;
}

/*
 * Was it still a replica after the incumbent was last seen as master? We saw it so, or it was
 * promoted at a point of the history that the incumbent had not reached by then.
 */
static bool was_replica_after(const struct shard *shard, const struct member *claimant)
{
	const struct incumbent *incumbent = &shard->incumbent;

	return claimant->replica_sent_ms >= incumbent->master_ms ||
	       (incumbent->offset >= 0 &&
		claimant->facts.info.second_offset > incumbent->offset + 1);
}

/*
 * A6. The incumbent is gone, and a descendant claims that was still a replica after the incumbent
 * was last seen as master (an old rogue must not win because the master dies); two answers in a
 * row.
 */
static bool is_promoted_early(struct shard *shard, const struct member *claimant)
{
	const struct member *incumbent = incumbent_member(shard);
	bool gone = member_is_unreachable(incumbent, &shard->policy) || shard_is_restarted(shard);

	return incumbent != claimant && gone && is_descendant(shard, claimant) &&
	       was_replica_after(shard, claimant) && claimant->claims >= 2 &&
	       sentinels_allow_early(&shard->authority);
}

/*
 * A7. A descendant that another known replica has come to follow since it claims. One that has
 * followed it all along, in a chain, proves nothing.
 */
static bool is_followed(struct shard *shard, const struct member *claimant)
{
	if (!is_descendant(shard, claimant) ||
	    (shard->authority.known && shard->authority.all_answer))
		return false;
	for (size_t i = 0; i < shard->member_count; i++) {
		const struct member *other = &shard->members[i];

		if (other != incumbent_member(shard) && is_live_follower(shard, other, claimant) &&
		    member_is_known_replica(other) && other->facts.sent_ms >= claimant->claim_ms &&
		    other->follows_ms > claimant->replica_sent_ms)
			return true;
	}
	return false;
}

static size_t count_claimants(const struct shard *shard)
{
	size_t claimants = 0;

	for (size_t i = 0; i < shard->member_count; i++)
		claimants += shard_is_claimant(shard, &shard->members[i]);
	return claimants;
}

/* A8. The incumbent restarted: taken back if a majority names it, or nobody else claims for a
 * while. */
static bool is_restarted_alone(struct shard *shard, const struct member *claimant)
{
	int node = (int)(claimant - shard->members);

	if (node != shard->incumbent.node)
		return false;
	if (shard->authority.majority != OPINION_NOBODY)
		return shard->authority.majority == node && !shard->authority.failover &&
		       shard->authority.epoch >= shard->incumbent.epoch;
	return shard->alone_ms &&
	       shard_has_lasted(shard, shard->alone_ms, shard->policy.orphan_confirm_ms);
}

static const struct row first_rows[] = {
	{ "A2", is_first_by_proof, REASON_FIRST_PROOF },
	{ 0 },
};

static const struct row rows[] = {
	{ "A4", is_handed_over, REASON_HANDED_OVER },
	{ "A6", is_promoted_early, REASON_PROMOTED_EARLY },
	{ "A7", is_followed, REASON_FOLLOWED },
	{ "A8", is_restarted_alone, REASON_RESTARTED_MASTER },
	{ 0 },
};

static void admit(struct shard *shard, int node, enum reason reason)
{
	struct incumbent *incumbent = &shard->incumbent;
	struct member *member = &shard->members[node];

	if (incumbent->node >= 0 && incumbent->node != node)
		member_depose(incumbent_member(shard));
	member_admit(member);
	incumbent->node = node;
	incumbent->admitted_by = reason;
	memcpy(incumbent->run_id, member->facts.info.run_id, INFO_ID_SIZE);
	memcpy(incumbent->replid, member->facts.info.replid, INFO_ID_SIZE);
	incumbent->master_ms = member->facts.at_ms;
	incumbent->offset = member->facts.info.offset;
	incumbent->admitted_ms = shard->now_ms;
	shard->alone_ms = 0;
}

/* How many claimants the row fits; the last of them in *ret_node. */
static size_t match_row(struct shard *shard, const struct row *row, int *ret_node)
{
	size_t matches = 0;

	for (size_t i = 0; i < shard->member_count; i++) {
		if (shard_is_claimant(shard, &shard->members[i]) &&
		    row->admits(shard, &shard->members[i])) {
			*ret_node = (int)i;
			matches++;
		}
	}
	return matches;
}

/* Those in reach whose last word is that they are masters, serving or not. */
static size_t count_masters(const struct shard *shard)
{
	size_t masters = 0;

	for (size_t i = 0; i < shard->member_count; i++)
		masters += member_is_master(&shard->members[i]) &&
			   !shard_is_out_of_reach(shard, &shard->members[i]);
	return masters;
}

/* Alone: no other master is there, not even one that can't speak up just now. */
static void watch_restarted(struct shard *shard)
{
	bool alone = shard->incumbent.node >= 0 && count_masters(shard) == 1 &&
		     shard_is_claimant(shard, incumbent_member(shard));

	if (!alone)
		shard->alone_ms = 0;
	else if (!shard->alone_ms)
		shard->alone_ms = shard->now_ms;
}

bool incumbent_choose(struct shard *shard)
{
	const struct row *row = shard->incumbent.node < 0 ? first_rows : rows;
	int node = -1;

	watch_restarted(shard);
	shard->tie = shard->incumbent.node < 0 && count_claimants(shard) > 1;
	for (; row->name; row++) {
		size_t matches = match_row(shard, row, &node);

		if (matches == 1) {
			shard->tie = false;
			admit(shard, node, row->reason);
			return true;
		}
		if (matches > 1) {
			shard->tie = true;
			return false;
		}
	}
	return false;
}

bool incumbent_start_is_over(struct shard *shard)
{
	return shard->incumbent.node >= 0 ||
	       (!somebody_is_unknown(shard) &&
		shard_has_lasted(shard, shard->start_ms, shard->policy.start_ms));
}
