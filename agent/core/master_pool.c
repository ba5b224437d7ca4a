/*
 * The verdicts in the master pools. Only the incumbent can be up, by construction: every other node
 * is judged by a function that knows no way to say so. The incumbent's rows are data, first match
 * wins.
 */
#include "core/master_pool.h"

#include "core/incumbent.h"
#include "core/shard_state.h"

enum effect { EFFECT_KILL, EFFECT_HOLD, EFFECT_UP };

struct row {
	const char *name; /* as in the manual */
	bool (*fits)(struct shard *shard, const struct member *incumbent, enum reason *ret_reason);
	enum effect effect;
};

struct verdict verdict_hold(const struct verdict *previous, enum reason reason)
{
	struct verdict verdict = *previous;

	verdict.reason = reason;
	verdict.held = previous->state != VERDICT_UNKNOWN;
	return verdict;
}

static struct verdict say(enum verdict_state state, enum reason reason)
{
	return (struct verdict){
		.state = state,
		.reason = reason,
		.weight = state == VERDICT_UP ? 100 : 0,
		.peer = -1,
	};
}

static bool has_unclear_reply(const struct member *member, enum reason *ret_reason)
{
	switch (member->info_reply) {
	case REPLY_NONE:
	case REPLY_OK:
	case REPLY_LOADING:
		return false;
	case REPLY_BUSY:
		*ret_reason = REASON_BUSY;
		return true;
	case REPLY_NO_ACCESS:
	case REPLY_MASTERDOWN:
	case REPLY_UNKNOWN_COMMAND:
	case REPLY_OTHER_ERROR:
		break;
	}
	*ret_reason = REASON_NO_ACCESS;
	return true;
}

bool member_is_unclear(struct shard *shard, const struct member *member, enum reason *ret_reason)
{
	if (!member->heard) {
		*ret_reason = REASON_NOT_YET;
		return true;
	}
	if (shard_is_tilted(shard, member)) {
		*ret_reason = REASON_AGENT_TILT;
		return true;
	}
	if (member->misses || !shard_is_fresh(shard, member)) {
		*ret_reason = REASON_SILENT;
		return true;
	}
	return has_unclear_reply(member, ret_reason);
}

/* V2a */
static bool is_tilted(struct shard *shard, const struct member *incumbent, enum reason *ret_reason)
{
	*ret_reason = REASON_AGENT_TILT;
	return shard_is_tilted(shard, incumbent);
}

/* V3 */
static bool is_unreachable(struct shard *shard, const struct member *incumbent,
			   enum reason *ret_reason)
{
	*ret_reason = REASON_UNREACHABLE;
	return member_is_unreachable(incumbent, &shard->policy);
}

/* V4 */
static bool is_no_master(struct shard *shard, const struct member *incumbent,
			 enum reason *ret_reason)
{
	if (member_is_replica(incumbent))
		*ret_reason = REASON_DEMOTED;
	else if (member_is_loading(incumbent))
		*ret_reason = REASON_LOADING;
	else if (shard_is_restarted(shard))
		*ret_reason = REASON_RESTARTED;
	else if (member_is_unsupported(incumbent))
		*ret_reason = REASON_UNSUPPORTED;
	else
		return false;
	return true;
}

/* V10 */
static bool is_master(struct shard *shard, const struct member *incumbent, enum reason *ret_reason)
{
	(void)shard;
	(void)incumbent;
	*ret_reason = REASON_MASTER;
	return true;
}

/* V4 stands before V2a: an answer that it is no master closes it, however late it was read. */
static const struct row incumbent_rows[] = {
	{ "V4", is_no_master, EFFECT_KILL },   { "V2a", is_tilted, EFFECT_HOLD },
	{ "V3", is_unreachable, EFFECT_KILL }, { "V5", member_is_unclear, EFFECT_HOLD },
	{ "V10", is_master, EFFECT_UP },
};

static struct verdict judge_incumbent(struct shard *shard, const struct member *incumbent,
				      const struct verdict *previous)
{
	const struct row *row = incumbent_rows;
	enum reason reason;

	while (!row->fits(shard, incumbent, &reason))
		row++;
	switch (row->effect) {
	case EFFECT_HOLD:
		return verdict_hold(previous, reason);
	case EFFECT_KILL:
		return say(VERDICT_DOWN, reason);
	case EFFECT_UP:
		break;
	}
	return say(VERDICT_UP, reason);
}

static enum reason refuse(const struct shard *shard, const struct member *member)
{
	if (member->returned)
		return REASON_RETURNED_MASTER;
	return shard->incumbent.node < 0 ? REASON_TIE : REASON_SECOND_MASTER;
}

/* Everybody but the incumbent: closed, for the reason that fits best. Never held: it was never
 * open. */
static struct verdict judge_other(struct shard *shard, const struct member *member)
{
	struct verdict verdict;
	enum reason reason;

	if (shard_is_out_of_reach(shard, member))
		return say(VERDICT_DOWN, REASON_UNREACHABLE);
	if (!member->known) {
		if (!member_is_unclear(shard, member, &reason))
			reason = REASON_LOADING;
		return say(reason == REASON_LOADING ? VERDICT_DOWN : VERDICT_UNKNOWN, reason);
	}
	if (member_is_unsupported(member))
		return say(VERDICT_UNKNOWN, REASON_UNSUPPORTED);
	if (member_is_loading(member))
		return say(VERDICT_DOWN, REASON_LOADING);
	if (member_is_master(member))
		return say(VERDICT_DOWN, refuse(shard, member));
	verdict = say(VERDICT_STANDBY, REASON_REPLICA);
	verdict.peer = shard_find_followed(shard, member);
	return verdict;
}

struct verdict master_pool_judge(struct shard *shard, const struct member *member,
				 const struct verdict *previous)
{
	struct verdict verdict;

	if (!incumbent_start_is_over(shard))
		return say(VERDICT_UNKNOWN, REASON_NOT_YET);
	if (shard->incumbent.node == (int)(member - shard->members))
		verdict = judge_incumbent(shard, member, previous);
	else
		verdict = judge_other(shard, member);
	verdict.dead = member_is_dead(member);
	return verdict;
}
