/*
 * A member: what a shard knows of one node, from its observations alone. Whether it is the master
 * is not decided here; core/incumbent.h does that, and tells the member when it is admitted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/observation.h"
#include "core/policy.h"

struct member {
	char *name, *host; /* as configured; owned */
	uint16_t port;

	/* the last round, whatever came of it */
	bool heard; /* there was one */
	enum observation_outcome outcome;
	enum reply_class info_reply, ping_reply; /* of the last answer */
	int64_t sent_ms, at_ms;			 /* of the last round */
	int64_t misses;				 /* time-outs in a row */
	bool refused;				 /* a connection was, and no answer came since */
	int64_t answered_ms;			 /* the last answer, of any kind; 0 never */
	int64_t told_ms; /* the last round that was an answer or a refusal began; 0 never */

	/* the last answer with facts */
	bool known;
	struct observation facts;

	/* as a replica */
	char replica_run_id[INFO_ID_SIZE]; /* seen as one, since it was last incumbent, with this */
	int64_t replica_offset;		   /* its own offset when last seen as one */
	int64_t replica_sent_ms;	   /* that round began; 0 never */
	int64_t follows_ms;   /* so did the first that showed it with the master that it has now */
	int64_t link_lost_ms; /* its link was first seen down, or went down; 0: it is up */
	int64_t ahead_ms; /* its history has descended from the incumbent's, not been it, since; 0:
			     no */
	int64_t stuck_ms; /* its offset has stood still behind the master's since; 0: it has not */

	/* as a master */
	int64_t claim_ms; /* the claim began: the first time as master after the last as replica */
	int64_t claims;	  /* answers as master in a row */
	bool was_incumbent; /* before another was admitted */
	bool returned;	    /* says master again after it was incumbent, or with a new run id */
};

/** What an observation changed that others should look at again at once. */
struct member_news {
	bool hint; /* a broken connection, a changed role, run id or replication id */
	bool first_miss;
};

void member_init(struct member *member, const char *name, const char *host, uint16_t port);
void member_done(struct member *member);

/** Another address: it is as new but for its name, and refused until it answers. */
void member_move(struct member *member, const char *host, uint16_t port);

/** Takes a round's result; @is_incumbent: it is the node that holds the office. */
struct member_news member_observe(struct member *member, const struct observation *observation,
				  bool is_incumbent);

/** It was admitted as the incumbent, or another was while it was. */
void member_admit(struct member *member);
void member_depose(struct member *member);

/** Missed probes and the age of its facts start anew at @now_ms, after our own view was disturbed.
 */
void member_forgive(struct member *member);

/** Refused connections since its last answer, or missed `fall` probes in a row. */
bool member_is_unreachable(const struct member *member, const struct shard_policy *policy);

/** Refuses connections. */
bool member_is_dead(const struct member *member);

/** When its last answer grows too old to count; it must have answered. */
int64_t member_fresh_until_ms(const struct member *member, const struct shard_policy *policy,
			      int64_t disturbed_ms);

/** Its last answer had facts, and they say that role. */
bool member_is_master(const struct member *member);
bool member_is_replica(const struct member *member);

/** INFO or PING says that it is loading. */
bool member_is_loading(const struct member *member);

/** It neither loads nor refuses reads (MASTERDOWN, which only a replica says). */
bool member_is_serving(const struct member *member);

/** It answers, but is nothing that we can route by (a Sentinel, an active replica). */
bool member_is_unsupported(const struct member *member);

/** Seen as a replica with the run id that it has now, since it was last incumbent. */
bool member_is_known_replica(const struct member *member);
