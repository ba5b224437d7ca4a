/*
 * What is known of one node. It keeps the last facts and the few memories that the rows ask for:
 * since when it claims to be master, where it stood as a replica, since when its link is down.
 */
#include "core/member.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void member_init(struct member *member, const char *name, const char *host, uint16_t port)
{
	*member = (struct member){
		.name = mem_strdup(name),
		.host = mem_strdup(host),
		.port = port,
	};
}

void member_done(struct member *member)
{
	free(member->name);
	free(member->host);
}

void member_move(struct member *member, const char *host, uint16_t port)
{
	struct member moved;

	member_init(&moved, member->name, host, port);
	moved.refused = true;
	member_done(member);
	*member = moved;
}

static bool same_id(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool has_new_master(const struct info *was, const struct info *is)
{
	return was->role != INFO_ROLE_REPLICA || was->master_port != is->master_port ||
	       strcmp(was->master_host, is->master_host) != 0;
}

static void learn_replica(struct member *member, const struct observation *observation)
{
	const struct info *info = &observation->info;

	if (!member->known || has_new_master(&member->facts.info, info))
		member->follows_ms = observation->sent_ms;

	memcpy(member->replica_run_id, info->run_id, INFO_ID_SIZE);
	member->replica_offset = info->replica_offset;
	member->replica_sent_ms = observation->sent_ms;
	member->claim_ms = 0;
	member->claims = 0;
	if (info->link_up == 1) {
		member->link_lost_ms = 0;
		member->returned = member->was_incumbent = false;
	} else if (!member->link_lost_ms) {
		/* Redis tells since when, which a restart of ours would not know. */
		int64_t down_ms = info->link_down_s > 0 ? info->link_down_s * 1000 : 0;

		/* It may be before our own machine's start: less than zero. */
		member->link_lost_ms = observation->at_ms - down_ms;
		if (!member->link_lost_ms)
			member->link_lost_ms = 1;
	}
}

static void learn_master(struct member *member, const struct observation *observation,
			 bool is_incumbent, bool new_run_id)
{
	if (!member->claim_ms)
		member->claim_ms = observation->at_ms;
	member->claims++;
	member->link_lost_ms = 0;
	member->stuck_ms = 0;
	if (!is_incumbent && (member->was_incumbent || new_run_id))
		member->returned = true;
}

/* Takes the facts of a good answer. True: role, run id or replication id are not what they were. */
static bool learn_facts(struct member *member, const struct observation *observation,
			bool is_incumbent)
{
	const struct info *was = &member->facts.info, *is = &observation->info;
	bool new_run_id = member->known && was->run_id[0] && is->run_id[0] &&
			  !same_id(was->run_id, is->run_id);
	bool hint = member->known &&
		    (was->role != is->role || new_run_id || !same_id(was->replid, is->replid));

	if (is->role == INFO_ROLE_REPLICA)
		learn_replica(member, observation);
	else if (is->role == INFO_ROLE_MASTER)
		learn_master(member, observation, is_incumbent, new_run_id);
	member->known = true;
	member->facts = *observation;
	return hint;
}

static bool learn_answer(struct member *member, const struct observation *observation,
			 bool is_incumbent)
{
	member->misses = 0;
	member->refused = false;
	member->answered_ms = observation->at_ms;
	member->info_reply = observation->info_reply;
	member->ping_reply = observation->ping_reply;
	if (observation->info_reply == REPLY_OK)
		return learn_facts(member, observation, is_incumbent);
	member->claims = 0;
	return false;
}

struct member_news member_observe(struct member *member, const struct observation *observation,
				  bool is_incumbent)
{
	bool was_well = member->heard && member->outcome == OBSERVATION_ANSWERED;
	struct member_news news = { .hint = observation->new_connection };

	switch (observation->outcome) {
	case OBSERVATION_ANSWERED:
		news.hint |= learn_answer(member, observation, is_incumbent);
		member->told_ms = observation->sent_ms;
		break;
	case OBSERVATION_REFUSED:
		news.hint |= was_well;
		member->misses = 0;
		member->refused = true;
		member->claims = 0;
		member->told_ms = observation->sent_ms;
		break;
	case OBSERVATION_MISSED:
		news.first_miss = was_well;
		member->misses++;
		member->claims = 0;
		break;
	}
	member->heard = true;
	member->outcome = observation->outcome;
	member->sent_ms = observation->sent_ms;
	member->at_ms = observation->at_ms;
	return news;
}

void member_admit(struct member *member)
{
	member->returned = false;
	member->was_incumbent = false;
	member->replica_run_id[0] = '\0';
}

void member_depose(struct member *member)
{
	member->was_incumbent = true;
	if (member_is_master(member))
		member->returned = true;
}

void member_forgive(struct member *member)
{
	member->misses = 0;
}

bool member_is_dead(const struct member *member)
{
	return member->heard && member->outcome == OBSERVATION_REFUSED;
}

bool member_is_unreachable(const struct member *member, const struct shard_policy *policy)
{
	return member->refused || member->misses >= policy->fall;
}

int64_t member_fresh_until_ms(const struct member *member, const struct shard_policy *policy,
			      int64_t disturbed_ms)
{
	int64_t since = member->answered_ms > disturbed_ms ? member->answered_ms : disturbed_ms;

	return since + 3 * policy->interval_ms + policy->timeout_ms;
}

bool member_is_master(const struct member *member)
{
	return member->known && member->facts.info.role == INFO_ROLE_MASTER;
}

bool member_is_replica(const struct member *member)
{
	return member->known && member->facts.info.role == INFO_ROLE_REPLICA;
}

bool member_is_loading(const struct member *member)
{
	return member->info_reply == REPLY_LOADING || member->ping_reply == REPLY_LOADING ||
	       !info_is_serving(&member->facts.info);
}

bool member_is_serving(const struct member *member)
{
	return !member_is_loading(member) && member->ping_reply != REPLY_MASTERDOWN;
}

bool member_is_unsupported(const struct member *member)
{
	return member->known && member->info_reply == REPLY_OK && !member_is_master(member) &&
	       !member_is_replica(member);
}

bool member_is_known_replica(const struct member *member)
{
	return member->replica_run_id[0] &&
	       same_id(member->replica_run_id, member->facts.info.run_id);
}
