/* The questions of one probe round and what their replies tell: no connection, no clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/info.h"
#include "core/reply.h"
#include "io/redis_conn.h"

/** What is asked, in the order of asking; a set of them is a round. */
enum probe_question {
	PROBE_ASK_AUTH = 1 << 0,
	PROBE_ASK_NAME = 1 << 1,
	PROBE_ASK_SERVER = 1 << 2,
	PROBE_ASK_KEYSPACE = 1 << 3,
	PROBE_ASK_PERSISTENCE = 1 << 4,
	PROBE_ASK_REPLICATION = 1 << 5,
	PROBE_ASK_PING = 1 << 6,
};

/** The commands, formatted once. Those of every round are a tail of them. */
struct probe_commands {
	char *bytes;
	size_t length;
	size_t loading, plain; /* where the shorter rounds begin */
};

void probe_commands_init(struct probe_commands *commands);
void probe_commands_done(struct probe_commands *commands);

/** Facts last as long as the connection. */
struct probe_round {
	unsigned int expected; /* questions whose replies are still to come */
	bool needs_all;	       /* what only the first round asks is not known yet */
	enum reply_class info_reply, ping_reply;
	enum reply_class last_error; /* REPLY_NONE when the last reply was none */
	struct info info;
};

/** Nothing is known: a new connection. */
void probe_round_reset(struct probe_round *round);

/** Begins a round: expects the replies to the returned bytes, which stand in @commands. Those to a
 * login before them are added with probe_round_expect_login. */
const char *probe_round_begin(struct probe_round *round, const struct probe_commands *commands,
			      size_t *ret_length);
void probe_round_expect_login(struct probe_round *round, bool password);

/** The first question open; 0: none is. */
enum probe_question probe_round_question(const struct probe_round *round);

/** Takes @value as (part of) the reply to the first question open. */
void probe_round_take(struct probe_round *round, const struct redis_value *value);

/** The reply to the first question open is complete. */
void probe_round_next(struct probe_round *round);

/** All replies came, in time: the next round need not ask all again, unless they say so. */
void probe_round_finish(struct probe_round *round);
