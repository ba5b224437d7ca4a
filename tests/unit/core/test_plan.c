/*
 * The plan's laws over every combination of verdict, policy and what HAProxy shows, against a small
 * model of HAProxy (marks, weights, sessions, checks, as tried on 2.6, 3.0 and 3.5-dev), and the
 * commands' exact texts.
 */
#include "core/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a model of one server in HAProxy ---- */

enum check { CHECK_NONE, CHECK_PASSES, CHECK_FAILS };

struct model {
	bool configured, enabled; /* its agent */
	bool mark_open;
	enum check check;
	bool running; /* the operational state */
	int64_t weight, initial, admin, sessions;
	bool refused; /* it answered a command with an error */
};

static bool model_is_maint(const struct model *model)
{
	return (model->admin & (1 | 2 | 32)) != 0;
}

static bool model_is_drain(const struct model *model)
{
	return (model->admin & (8 | 16)) != 0;
}

static bool model_takes_traffic(const struct model *model)
{
	return model->running && !model->admin && model->weight > 0;
}

static void model_set_weight(struct model *model, int percent)
{
	model->weight = model->initial * percent / 100;
	if (model->weight > 256)
		model->weight = 256;
}

static void model_set_mark(struct model *model, bool open)
{
	if (!model->configured || !model->enabled) {
		model->refused = true;
		return;
	}
	model->mark_open = open;
	model->running = open; /* even if the check fails */
}

static void model_apply(struct model *model, enum plan_step step, int percent)
{
	switch (step) {
	case PLAN_ENABLE_AGENT:
		model->refused |= !model->configured;
		model->enabled = model->configured;
		break;
	case PLAN_WEIGHT_ZERO:
		model->weight = 0;
		break;
	case PLAN_AGENT_DOWN:
		model_set_mark(model, false);
		break;
	case PLAN_CUT_SESSIONS:
		model->sessions = 0;
		break;
	case PLAN_WEIGHT:
		model_set_weight(model, percent);
		break;
	case PLAN_AGENT_UP:
		model_set_mark(model, true);
		break;
	}
}

/* The next checks. */
static void model_settle(struct model *model)
{
	bool closed = model->enabled && !model->mark_open;

	if (model->check == CHECK_FAILS)
		model->running = false;
	else if (model->check == CHECK_PASSES)
		model->running = !closed;
}

static const char *model_status(const struct model *model)
{
	if (model_is_maint(model))
		return "MAINT";
	if (!model->running)
		return model->enabled && !model->mark_open ? "DOWN (agent)" : "DOWN";
	if (model_is_drain(model))
		return "DRAIN";
	return model->check == CHECK_NONE && !model->enabled ? "no check" : "UP";
}

static void set_text(char *data, size_t size, const char *s)
{
	text_copy(data, size, s, strlen(s));
}

static void model_show(const struct model *model, struct shown_server *shown)
{
	static const char *const checks[] = { "", "L7OK", "L7RSP" };

	*shown = (struct shown_server){ .backend = "b",
					.name = "s",
					.in_stat = true,
					.in_state = true,
					.sessions = model->sessions,
					.weight = model->weight,
					.initial_weight = model->initial,
					.admin_state = model->admin,
					.agent_state = (model->configured ? 18 : 0) |
						       (model->enabled ? 4 : 0) };
	set_text(shown->status, sizeof(shown->status), model_status(model));
	set_text(shown->check_status, sizeof(shown->check_status), checks[model->check]);
	if (model->enabled)
		shown->agent = model->mark_open ? SHOWN_AGENT_OPEN : SHOWN_AGENT_CLOSED;
}

/* ---- every combination ---- */

struct combination {
	struct pool_policy policy;
	struct verdict wanted;
	struct model model;
	bool trusted;
};

static void describe(const struct combination *c, unsigned int steps)
{
	const struct model *m = &c->model;

	print_error("%s %d%% in a %s pool, standby %s, weights %d; agent %d/%d mark %d check %d "
		    "running %d weight %d of %d admin %d sessions %d, trusted %d: steps %#x\n",
		    verdict_state_name(c->wanted.state), c->wanted.weight,
		    c->policy.role == POOL_MASTER ? "master" : "replica",
		    c->policy.standby == STANDBY_DOWN ? "down" : "weight", c->policy.weights,
		    m->configured, m->enabled, m->mark_open, (int)m->check, m->running,
		    (int)m->weight, (int)m->initial, (int)m->admin, (int)m->sessions, c->trusted,
		    steps);
}

static void require(bool holds, const char *law, const struct combination *c, unsigned int steps)
{
	if (holds)
		return;
	describe(c, steps);
	fail_msg("%s", law);
}

/* The number'th value of a dimension of @count; what is left of the number goes to the next. */
static size_t take(size_t *number, size_t count)
{
	size_t value = *number % count;

	*number /= count;
	return value;
}

/* False: there is no such server. */
static bool combine_model(size_t *number, struct model *model)
{
	static const int64_t initials[] = { 100, 1, 0, 256 }, shares[] = { 0, 50, 100 };
	static const int64_t admins[] = { 0, 1, 2, 32, 8, 16, 4 | 1 };
	bool fresh;

	model->configured = take(number, 2);
	model->enabled = take(number, 2);
	model->mark_open = take(number, 2);
	model->check = (enum check)take(number, 3);
	model->initial = initials[take(number, COUNT(initials))];
	model->weight = model->initial * shares[take(number, COUNT(shares))] / 100;
	model->admin = admins[take(number, COUNT(admins))];
	model->sessions = take(number, 2) ? 3 : 0;
	model->refused = false;
	/* After a restart with a state file: DOWN with an open mark, until a check passes. */
	fresh = take(number, 2);
	model->running = !fresh && (model->mark_open || !model->enabled);
	if (model->check == CHECK_FAILS)
		model->running = false;
	return model->configured || !(model->enabled || model->mark_open);
}

static bool combine(size_t number, struct combination *c, bool *ret_valid)
{
	static const int weights[] = { 100, 50, 200 };

	*c = (struct combination){ 0 };
	c->policy.role = take(&number, 2) ? POOL_REPLICA : POOL_MASTER;
	c->policy.standby = take(&number, 2) ? STANDBY_WEIGHT : STANDBY_DOWN;
	c->policy.weights = take(&number, 2);
	c->wanted.state = (enum verdict_state)take(&number, VERDICT_DOWN + 1);
	c->wanted.weight = weights[take(&number, COUNT(weights))];
	c->trusted = take(&number, 2);
	*ret_valid = combine_model(&number, &c->model);
	return number == 0;
}

static bool weights_are_ours(const struct combination *c)
{
	return c->policy.role == POOL_MASTER ? c->policy.standby == STANDBY_WEIGHT
					     : c->policy.weights;
}

static bool is_kept_down(const struct combination *c)
{
	const struct model *m = &c->model;

	return m->enabled && m->mark_open && !m->running && m->check == CHECK_FAILS && !m->admin;
}

/* ---- the laws ---- */

static unsigned int make(const struct combination *c, const struct model *model, bool trusted,
			 int *ret_percent, enum plan_mismatch *ret_mismatch)
{
	struct shown_server shown;
	struct plan_line line = { &c->policy, &c->wanted, &shown, trusted };

	model_show(model, &shown);
	*ret_percent = plan_weight_percent(&line);
	*ret_mismatch = plan_compare(&line);
	return plan_make(&line);
}

static void check_steps(const struct combination *c, unsigned int steps)
{
	bool up = c->wanted.state == VERDICT_UP, unknown = c->wanted.state == VERDICT_UNKNOWN;

	require(!unknown || !steps, "nothing known, nothing said", c, steps);
	require(!(steps & PLAN_AGENT_DOWN) || !(steps & PLAN_AGENT_UP), "up and down", c, steps);
	require(!(steps & PLAN_WEIGHT_ZERO) || !(steps & PLAN_WEIGHT), "two weights", c, steps);
	require(up || !(steps & PLAN_WEIGHT), "raises what is not wanted", c, steps);
	require(!up || !(steps & (PLAN_AGENT_DOWN | PLAN_WEIGHT_ZERO | PLAN_CUT_SESSIONS)),
		"closes what is wanted", c, steps);
	require(c->wanted.state != VERDICT_DRAIN || !(steps & PLAN_CUT_SESSIONS),
		"cuts what may stay", c, steps);
	require(!(steps & (PLAN_AGENT_DOWN | PLAN_AGENT_UP | PLAN_ENABLE_AGENT)) ||
			c->model.configured,
		"a mark without an agent", c, steps);
	require(!(steps & PLAN_ENABLE_AGENT) || !c->model.enabled, "enables twice", c, steps);
}

/* Step by step, as HAProxy carries them out. */
static void apply(const struct combination *c, struct model *model, unsigned int steps, int percent)
{
	for (unsigned int step = 1; step <= steps; step <<= 1) {
		bool took = model_takes_traffic(model);

		if (!(steps & step))
			continue;
		model_apply(model, (enum plan_step)step, percent);
		require(took || !model_takes_traffic(model) || c->wanted.state == VERDICT_UP,
			"opens what is not wanted", c, steps);
	}
	require(!model->refused, "HAProxy refuses it", c, steps);
	model_settle(model);
}

static void check_closed(const struct combination *c, const struct model *after, unsigned int steps)
{
	bool cut = c->wanted.state == VERDICT_DOWN ||
		   (c->wanted.state == VERDICT_STANDBY && c->policy.role == POOL_MASTER);

	require(!model_takes_traffic(after), "is still open", c, steps);
	require(!cut || !after->sessions, "has sessions left", c, steps);
	require(cut || after->sessions == c->model.sessions, "lost its sessions", c, steps);
	/* A maint that an operator ends must not open it either. */
	require(!after->weight || (after->enabled && !after->mark_open),
		"only the operator keeps it closed", c, steps);
}

static void check_opened(const struct combination *c, const struct model *after, unsigned int steps)
{
	bool stuck = c->trusted || !c->model.configured || c->model.check == CHECK_FAILS;

	require(after->mark_open || !after->configured, "its mark is not open", c, steps);
	require(after->sessions == c->model.sessions, "lost its sessions", c, steps);
	require(after->running || (!c->model.running && stuck), "is still down", c, steps);
	if (weights_are_ours(c))
		require(after->weight == (c->model.initial * c->wanted.weight / 100 > 256
						  ? 256
						  : c->model.initial * c->wanted.weight / 100),
			"another weight than wanted", c, steps);
	else
		require(after->weight == c->model.weight ||
				(!c->model.configured && !c->model.weight &&
				 after->weight == c->model.initial),
			"an operator's weight changed", c, steps);
}

static void check_laws(const struct combination *c)
{
	struct model after = c->model;
	enum plan_mismatch mismatch, mismatch_after;
	unsigned int steps, again;
	int percent;

	steps = make(c, &c->model, c->trusted, &percent, &mismatch);
	check_steps(c, steps);
	apply(c, &after, steps, percent);
	again = make(c, &after, true, &percent, &mismatch_after);
	require(!again, "applied and planned again it is not empty", c, again);
	require(after.admin == c->model.admin, "an operator's mark changed", c, steps);
	require(weights_are_ours(c) || !after.configured || after.weight == c->model.weight,
		"an operator's weight changed", c, steps);
	if (c->wanted.state == VERDICT_UP)
		check_opened(c, &after, steps);
	else if (c->wanted.state != VERDICT_UNKNOWN)
		check_closed(c, &after, steps);
	if (c->wanted.state == VERDICT_UP && is_kept_down(c)) {
		require(!(steps & PLAN_AGENT_UP), "pushes against the user's check", c, steps);
		require(c->model.weight == 0 || mismatch == PLAN_KEPT_DOWN_BY_CHECK,
			"does not say that the check keeps it down", c, steps);
	}
	require(c->wanted.state != VERDICT_UP || mismatch_after != PLAN_AGREED ||
			model_takes_traffic(&after) || !after.weight,
		"closed, and says that all agree", c, steps);
}

static void test_laws(void **state)
{
	struct combination c;
	size_t count = 0;
	bool valid;

	(void)state;
	for (size_t number = 0; combine(number, &c, &valid); number++) {
		if (!valid)
			continue;
		check_laws(&c);
		count++;
	}
	print_message("%zu combinations\n", count);
	assert_true(count > 500000);
}

/* ---- single cases ---- */

static const struct plan_case {
	const char *what;
	enum pool_role role;
	enum standby standby;
	enum verdict_state state;
	bool trusted;
	/* shown, with a check, initial weight 100 */
	const char *status;
	enum shown_agent agent;
	int64_t weight, sessions, admin_state, agent_state;
	/* expected */
	unsigned int steps;
	enum plan_mismatch mismatch;
} cases[] = {
	/* the ways of closing */
	{ "an open master is closed and cut", POOL_MASTER, STANDBY_DOWN, VERDICT_DOWN, true, "UP",
	  SHOWN_AGENT_OPEN, 100, 0, 0, 22, PLAN_AGENT_DOWN | PLAN_CUT_SESSIONS, PLAN_AGREED },
	{ "leftover sessions are cut again", POOL_MASTER, STANDBY_DOWN, VERDICT_DOWN, true,
	  "DOWN (agent)", SHOWN_AGENT_CLOSED, 100, 2, 0, 22, PLAN_CUT_SESSIONS, PLAN_AGREED },
	{ "those of a demoted master too", POOL_MASTER, STANDBY_DOWN, VERDICT_STANDBY, true,
	  "DOWN (agent)", SHOWN_AGENT_CLOSED, 100, 2, 0, 22, PLAN_CUT_SESSIONS, PLAN_AGREED },
	{ "those of a standby replica stay", POOL_REPLICA, STANDBY_DOWN, VERDICT_STANDBY, true,
	  "DOWN (agent)", SHOWN_AGENT_CLOSED, 100, 2, 0, 22, 0, PLAN_AGREED },
	{ "a closed mark of others is said anew", POOL_MASTER, STANDBY_DOWN, VERDICT_DOWN, false,
	  "DOWN (agent)", SHOWN_AGENT_CLOSED, 100, 0, 0, 22, PLAN_AGENT_DOWN, PLAN_AGREED },
	{ "a standby by weight", POOL_MASTER, STANDBY_WEIGHT, VERDICT_STANDBY, true, "DOWN (agent)",
	  SHOWN_AGENT_CLOSED, 100, 0, 0, 22, PLAN_WEIGHT_ZERO | PLAN_CUT_SESSIONS | PLAN_AGENT_UP,
	  PLAN_AGREED },
	{ "a drained replica", POOL_REPLICA, STANDBY_DOWN, VERDICT_DRAIN, true, "UP",
	  SHOWN_AGENT_OPEN, 100, 5, 0, 22, PLAN_WEIGHT_ZERO, PLAN_AGREED },
	{ "by weight, without agent-check", POOL_MASTER, STANDBY_DOWN, VERDICT_STANDBY, true, "UP",
	  SHOWN_AGENT_NONE, 100, 4, 0, 0, PLAN_WEIGHT_ZERO | PLAN_CUT_SESSIONS, PLAN_AGREED },
	/* the ways of opening */
	{ "back from a drain", POOL_REPLICA, STANDBY_DOWN, VERDICT_UP, true, "DRAIN",
	  SHOWN_AGENT_OPEN, 0, 5, 0, 22, PLAN_WEIGHT, PLAN_AGREED },
	{ "a disabled agent", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, false, "UP", SHOWN_AGENT_NONE,
	  100, 0, 0, 18, PLAN_ENABLE_AGENT | PLAN_AGENT_UP, PLAN_AGREED },
	{ "by weight, without agent-check", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, true, "UP",
	  SHOWN_AGENT_NONE, 0, 0, 0, 0, PLAN_WEIGHT, PLAN_AGREED },
	{ "the mark below an operator's maint", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, true,
	  "MAINT", SHOWN_AGENT_CLOSED, 100, 0, 1, 22, PLAN_AGENT_UP, PLAN_OPERATOR_MAINT },
	/* what stays as it is */
	{ "an operator's drain", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, true, "DRAIN (agent)",
	  SHOWN_AGENT_OPEN, 100, 0, 8, 22, 0, PLAN_OPERATOR_DRAIN },
	{ "a configured maint that was ended", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, true, "UP",
	  SHOWN_AGENT_OPEN, 100, 0, 4, 22, 0, PLAN_AGREED },
	{ "an operator's weight", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, true, "DRAIN",
	  SHOWN_AGENT_OPEN, 0, 0, 0, 22, 0, PLAN_OPERATOR_WEIGHT },
	{ "kept down by the check", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, true, "DOWN",
	  SHOWN_AGENT_OPEN, 100, 0, 0, 22, 0, PLAN_KEPT_DOWN_BY_CHECK },
	{ "kept down by the check, after a reload", POOL_MASTER, STANDBY_DOWN, VERDICT_UP, false,
	  "DOWN 1/2", SHOWN_AGENT_OPEN, 100, 0, 0, 22, 0, PLAN_KEPT_DOWN_BY_CHECK },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_case *c = &cases[i];
		struct pool_policy policy = { .role = c->role,
					      .standby = c->standby,
					      .weights = true };
		struct verdict wanted = { .state = c->state, .weight = 100 }, held = wanted;
		struct shown_server shown = { .in_stat = true,
					      .in_state = true,
					      .agent = c->agent,
					      .check_status = "L7OK",
					      .sessions = c->sessions,
					      .weight = c->weight,
					      .initial_weight = 100,
					      .admin_state = c->admin_state,
					      .agent_state = c->agent_state };
		struct plan_line line = { &policy, &wanted, &shown, c->trusted };
		unsigned int steps;
		enum plan_mismatch mismatch;

		set_text(shown.status, sizeof(shown.status), c->status);
		steps = plan_make(&line);
		mismatch = plan_compare(&line);
		if (steps != c->steps || mismatch != c->mismatch)
			fail_msg("%s: steps %#x, mismatch %d; expected %#x, %d", c->what, steps,
				 (int)mismatch, c->steps, (int)c->mismatch);
		held.held = true;
		line.wanted = &held;
		if (plan_make(&line) != steps || plan_compare(&line) != mismatch)
			fail_msg("%s: not the same when held", c->what);
	}
}

static void test_not_there(void **state)
{
	struct pool_policy policy = { .role = POOL_MASTER };
	struct verdict wanted = { .state = VERDICT_UP, .weight = 100 };
	struct plan_line line = { &policy, &wanted, NULL, false };

	(void)state;
	for (int tables = 0; tables < 4; tables++) {
		struct shown_server shown = { .in_stat = tables == 1, .in_state = tables == 2 };

		line.shown = tables == 3 ? NULL : &shown;
		assert_int_equal(plan_make(&line), 0);
		assert_int_equal(plan_compare(&line), PLAN_NOT_THERE);
	}
}

/* ---- commands ---- */

static void test_write(void **state)
{
	static const struct {
		unsigned int steps;
		const char *commands;
	} writes[] = {
		{ 0, "" },
		{ PLAN_AGENT_DOWN | PLAN_CUT_SESSIONS,
		  "set server b/s agent down;shutdown sessions server b/s" },
		{ PLAN_ENABLE_AGENT | PLAN_AGENT_UP, "enable agent b/s;set server b/s agent up" },
		{ PLAN_WEIGHT_ZERO | PLAN_CUT_SESSIONS,
		  "set server b/s weight 0%;shutdown sessions server b/s" },
		{ PLAN_WEIGHT | PLAN_AGENT_UP,
		  "set server b/s weight 35%;set server b/s agent up" },
		{ PLAN_WEIGHT_ZERO | PLAN_AGENT_UP,
		  "set server b/s weight 0%;set server b/s agent up" },
	};
	char buffer[128];
	struct text batch;

	(void)state;
	for (size_t i = 0; i < COUNT(writes); i++) {
		text_init(&batch, buffer, sizeof(buffer));
		plan_write(&batch, "b", "s", writes[i].steps, 35);
		assert_string_equal(buffer, writes[i].commands);
	}
}

static void test_write_joins(void **state)
{
	char buffer[128];
	struct text batch;

	(void)state;
	text_init(&batch, buffer, sizeof(buffer));
	text_add(&batch, "show info");
	plan_write(&batch, "b", "n1", PLAN_AGENT_DOWN, 100);
	plan_write(&batch, "b", "n2", 0, 100);
	plan_write(&batch, "b", "n3", PLAN_AGENT_UP, 100);
	assert_string_equal(buffer,
			    "show info;set server b/n1 agent down;set server b/n3 agent up");
	assert_false(batch.truncated);
}

/* In each size of buffer: all of it, or what was there before. */
static void test_write_never_cuts(void **state)
{
	static const char whole[] =
		"show info;set server b/n1 weight 100%;set server b/n1 agent up";
	char buffer[sizeof(whole)];
	struct text batch;

	(void)state;
	for (size_t size = sizeof("show info"); size <= sizeof(whole); size++) {
		bool fits = size == sizeof(whole);

		text_init(&batch, buffer, size);
		text_add(&batch, "show info");
		plan_write(&batch, "b", "n1", PLAN_WEIGHT | PLAN_AGENT_UP, 100);
		assert_string_equal(buffer, fits ? whole : "show info");
		assert_int_equal(batch.length, strlen(buffer));
		assert_int_equal(batch.truncated, !fits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_laws),	    cmocka_unit_test(test_cases),
		cmocka_unit_test(test_not_there),   cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_joins), cmocka_unit_test(test_write_never_cuts),
	};

	return cmocka_run_group_tests_name("core/plan", tests, NULL, NULL);
}
