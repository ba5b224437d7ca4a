/* What is logged of the probed nodes: once when it changes, not each time. */
#pragma once

#include <stdbool.h>

#include "base/address.h"
#include "base/log.h"
#include "io/probe_round.h"
#include "io/redis_conn.h"

/** What the agent lacks itself, one for all nodes. Begins zeroed. */
struct probe_log_shortage {
	int problem; /* 0: none */
	struct log_limit limit;
};

/** What was last said of a node. Begins zeroed, but for the pointers, which are borrowed. */
struct probe_log {
	const struct address *address;
	struct probe_log_shortage *shortage;
	int problem; /* 0: none */
	bool login_refused, info_refused;
};

/** The connection failed: negative errno or UV_*. 0: all is well. */
void probe_log_problem(struct probe_log *log, int problem);

/** A connection was made: the agent lacks nothing. */
void probe_log_connected(struct probe_log *log);

/** @value answers @question: is the agent let in? */
void probe_log_value(struct probe_log *log, enum probe_question question,
		     const struct redis_value *value);
