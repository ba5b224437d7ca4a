/*
 * The plan: from what is wanted of a server line and what HAProxy shows of it to the shortest list
 * of runtime commands. Applied and planned again it is empty. Only `agent up|down`, `enable agent`,
 * `weight` and `shutdown sessions` exist here: `state …` would undo an operator's maintenance,
 * `health …` does not last (tried on HAProxy 2.6, 3.0 and 3.5-dev).
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "core/picture.h"
#include "core/policy.h"
#include "core/shown.h"

/** Steps, bits; in this order they are carried out. */
enum plan_step {
	PLAN_ENABLE_AGENT = 1 << 0, /* its agent is disabled: marks would be refused */
	PLAN_WEIGHT_ZERO = 1 << 1,
	PLAN_AGENT_DOWN = 1 << 2,
	PLAN_CUT_SESSIONS = 1 << 3,
	PLAN_WEIGHT = 1 << 4, /* to the verdict's percentage */
	PLAN_AGENT_UP = 1 << 5,
};

/** Those that open a server; the others close, or lead up to it. */
#define PLAN_OPENS (PLAN_WEIGHT | PLAN_AGENT_UP)

/** What there is to know about one server line. */
struct plan_line {
	const struct pool_policy *policy;
	const struct verdict *wanted;
	const struct shown_server *shown; /* in both tables, or NULL: the server is not there */
	bool trusted; /* the agent's mark was set by us since this HAProxy and we started: false:
			 say it anew */
};

/** The steps for one line, as plan_step bits; 0: nothing to do. */
unsigned int plan_make(const struct plan_line *line);

/**
 * The percentage that PLAN_WEIGHT stands for: the verdict's, or 100 where weights are not the
 * agent's and only the closing of a line without agent-check was.
 */
int plan_weight_percent(const struct plan_line *line);

/** Appends the steps as commands, joined by ';', to a batch for @backend/@server. All
 * or none: where they do not fit, the batch stays as it was and is marked truncated. */
void plan_write(struct text *batch, const char *backend, const char *server, unsigned int steps,
		int weight_percent);

/** What HAProxy shows that the agent wants otherwise and will not push. */
enum plan_mismatch {
	PLAN_AGREED,
	PLAN_KEPT_DOWN_BY_CHECK, /* the mark is open, the user's own check keeps it down */
	PLAN_OPERATOR_MAINT,
	PLAN_OPERATOR_DRAIN,
	PLAN_OPERATOR_WEIGHT, /* weight 0 by an operator, where weights are not the agent's */
	PLAN_NOT_THERE,
};

enum plan_mismatch plan_compare(const struct plan_line *line);
