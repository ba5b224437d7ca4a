/*
 * What to tell HAProxy about one server line. A line with agent-check is closed by the agent's
 * mark, or by its weight where its sessions may stay and weights are the agent's; a line without
 * has only its weight. Each step is taken because something that is shown differs from what is
 * wanted, so that there is none once nothing does. It owns nothing, and refuses to know of other
 * lines: old before new is its caller's.
 */
#include "core/plan.h"

#include <string.h>

#define WEIGHT_MAX    256 /* HAProxy's: server.c, server_parse_weight_change_request */
#define AGENT_ENABLED 4	  /* a bit of srv_agent_state */

static bool is_there(const struct plan_line *line)
{
	return line->shown && line->shown->in_stat && line->shown->in_state;
}

static bool owns_weights(const struct pool_policy *policy)
{
	return policy->role == POOL_MASTER ? policy->standby == STANDBY_WEIGHT : policy->weights;
}

/* ---- marks ---- */

/* A disabled agent's mark is not shown, and not taken. */
static unsigned int enable_first(const struct plan_line *line)
{
	int64_t state = line->shown->agent_state;

	return state >= 0 && !(state & AGENT_ENABLED) ? PLAN_ENABLE_AGENT : 0;
}

/* The user's own check runs and keeps it down: `agent up` would open it until the next check fails.
 */
static bool check_keeps_down(const struct shown_server *shown)
{
	return shown->agent == SHOWN_AGENT_OPEN && shown->check_status[0] &&
	       strncmp(shown->status, "DOWN", 4) == 0;
}

static unsigned int open_mark(const struct plan_line *line)
{
	const struct shown_server *shown = line->shown;

	if (!shown_has_agent(shown) || check_keeps_down(shown))
		return 0;
	if (shown->agent == SHOWN_AGENT_OPEN && line->trusted)
		return 0;
	return enable_first(line) | PLAN_AGENT_UP;
}

static unsigned int close_mark(const struct plan_line *line)
{
	if (line->shown->agent == SHOWN_AGENT_CLOSED && line->trusted)
		return 0;
	return enable_first(line) | PLAN_AGENT_DOWN;
}

/* ---- closing ---- */

static bool closes_by_weight(const struct plan_line *line)
{
	enum verdict_state wanted = line->wanted->state;

	if (!shown_has_agent(line->shown))
		return true;
	if (!owns_weights(line->policy))
		return false;
	return wanted == VERDICT_DRAIN ||
	       (wanted == VERDICT_STANDBY && line->policy->standby == STANDBY_WEIGHT);
}

/* What sits on a demoted master would write to a replica. */
static bool cuts_sessions(const struct plan_line *line)
{
	return line->wanted->state == VERDICT_DOWN ||
	       (line->wanted->state == VERDICT_STANDBY && line->policy->role == POOL_MASTER);
}

static unsigned int plan_close(const struct plan_line *line)
{
	const struct shown_server *shown = line->shown;
	unsigned int steps = 0;
	bool closed;

	if (closes_by_weight(line)) {
		closed = shown->weight == 0;
		steps |= closed ? 0 : PLAN_WEIGHT_ZERO;
		steps |= open_mark(line);
	} else {
		closed = shown->agent == SHOWN_AGENT_CLOSED;
		steps |= close_mark(line);
	}
	if (cuts_sessions(line) && (!closed || shown->sessions > 0))
		steps |= PLAN_CUT_SESSIONS;
	return steps;
}

/* ---- opening ---- */

int plan_weight_percent(const struct plan_line *line)
{
	return owns_weights(line->policy) ? line->wanted->weight : 100;
}

/* The weight that HAProxy makes of the percentage. */
static int64_t weight_wanted(const struct plan_line *line)
{
	int64_t weight;

	if (__builtin_mul_overflow(line->shown->initial_weight, plan_weight_percent(line), &weight))
		return WEIGHT_MAX;
	weight /= 100;
	return weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
}

/* Where weights are not the agent's, only a weight by which it closed the line. */
static bool differs_in_weight(const struct plan_line *line)
{
	const struct shown_server *shown = line->shown;

	if (shown->weight < 0 || shown->initial_weight < 0)
		return false;
	if (!owns_weights(line->policy) && (shown_has_agent(shown) || shown->weight > 0))
		return false;
	return shown->weight != weight_wanted(line);
}

static unsigned int plan_open(const struct plan_line *line)
{
	return (differs_in_weight(line) ? PLAN_WEIGHT : 0) | open_mark(line);
}

unsigned int plan_make(const struct plan_line *line)
{
	if (!is_there(line))
		return 0;
	switch (line->wanted->state) {
	case VERDICT_UNKNOWN:
		return 0;
	case VERDICT_UP:
		return plan_open(line);
	case VERDICT_DRAIN:
	case VERDICT_STANDBY:
	case VERDICT_DOWN:
		return plan_close(line);
	}
	return 0;
}

/* ---- commands ---- */

void plan_write(struct text *batch, const char *backend, const char *server, unsigned int steps,
		int weight_percent)
{
	static const struct {
		enum plan_step step;
		const char *before, *after;
	} commands[] = {
		{ PLAN_ENABLE_AGENT, "enable agent", "" },
		{ PLAN_WEIGHT_ZERO, "set server", " weight 0%" },
		{ PLAN_AGENT_DOWN, "set server", " agent down" },
		{ PLAN_CUT_SESSIONS, "shutdown sessions server", "" },
		{ PLAN_WEIGHT, "set server", " weight" },
		{ PLAN_AGENT_UP, "set server", " agent up" },
	};
	size_t start = batch->length;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!(steps & commands[i].step))
			continue;
		text_addf(batch, "%s%s %s/%s%s", batch->length ? ";" : "", commands[i].before,
			  backend, server, commands[i].after);
		if (commands[i].step == PLAN_WEIGHT)
			text_addf(batch, " %d%%", weight_percent);
	}
	/* Cut short, "weight 100%" is "weight 1" and "n12" is "n1". */
	if (batch->truncated) {
		batch->length = start;
		batch->data[start] = '\0';
	}
}

/* ---- mismatches ---- */

/* It would be open if it went by the agent alone. */
static bool is_open(const struct shown_server *shown)
{
	return shown_has_agent(shown) ? shown->agent == SHOWN_AGENT_OPEN : shown->weight != 0;
}

enum plan_mismatch plan_compare(const struct plan_line *line)
{
	const struct shown_server *shown = line->shown;

	if (!is_there(line))
		return PLAN_NOT_THERE;
	if (line->wanted->state != VERDICT_UP)
		return PLAN_AGREED;
	if (shown_is_maint(shown))
		return PLAN_OPERATOR_MAINT;
	if (shown_is_drain(shown))
		return PLAN_OPERATOR_DRAIN;
	if (shown_has_agent(shown) && !owns_weights(line->policy) && shown->weight == 0)
		return PLAN_OPERATOR_WEIGHT;
	if (is_open(shown) &&
	    (strncmp(shown->status, "DOWN", 4) == 0 || strncmp(shown->status, "NOLB", 4) == 0))
		return PLAN_KEPT_DOWN_BY_CHECK;
	return PLAN_AGREED;
}
