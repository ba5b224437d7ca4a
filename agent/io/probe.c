/*
 * The prober. Each probe is a small state machine over one connection; one wheel for all of them,
 * so that what is due together is sent together. Owns the connections and their retries. What an
 * answer means, and what follows, it refuses to know.
 */
#include "io/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "io/probe_log.h"
#include "io/probe_round.h"
#include "io/redis_conn.h"
#include "io/wheel.h"

#define LATE_MIN_MS	      5000 /* an answer is waited for so long, … */
#define LATE_TIMEOUTS	      10   /* … or so many time-outs, before the connection is given up */
#define DEAD_MIN_MS	      1000
#define ROUND_MAX_BYTES	      (2 * 1024 * 1024)
#define VALUE_MIN_BYTES	      3 /* a type, and a line's end */
#define CLIENT_NAME	      "redis-role-agent"
#define container_of(p, s, m) ((s *)(void *)((char *)(p)-offsetof(s, m)))

enum probe_state {
	PROBE_IDLE,	  /* connected, or new; the next round is due */
	PROBE_CONNECTING, /* a round under way, not connected yet */
	PROBE_ASKING,	  /* a round under way, replies to come */
	PROBE_LATE,	  /* its deadline has passed, replies still to come */
	PROBE_WAITING,	  /* not connected; the next attempt is due, or the failed round's end */
};

struct prober {
	uv_loop_t *loop;
	struct wheel wheel;
	struct probe_commands commands;
	struct probe *probes;
	uint64_t random;
	struct probe_log_shortage shortage;
};

struct probe {
	struct wheel_entry due;
	struct prober *prober;
	struct probe *next, *previous;
	struct probe_setup setup; /* without the credentials, which the connection keeps */
	bool has_password;
	struct redis_conn *conn;
	uint64_t connections;
	enum probe_state state;
	struct probe_round round;
	int64_t sent_ms;
	int64_t begun_tick, deadline_tick, late_tick, retry_tick;
	size_t bytes;	/* of the round's replies, at least */
	bool looked;	/* its deadline came up once, see look_again */
	bool failed;	/* the round did, and is tried again until its deadline */
	bool spread;	/* the next round is due at a random time in the interval */
	bool may_retry; /* a break may be retried at once: the connection had proved good */
	bool broke;	/* so it did, and nobody has been told */
	bool answered;	/* a round, on this connection */
	struct probe_log log;
	struct backoff backoff;
};

static int64_t now_tick(const struct probe *probe)
{
	return wheel_now_tick(&probe->prober->wheel);
}

static void set_due(struct probe *probe, int64_t tick)
{
	wheel_put(&probe->prober->wheel, &probe->due, tick);
}

static void bring_forward(struct probe *probe, int64_t tick)
{
	if (tick < probe->due.due_tick)
		set_due(probe, tick);
}

static void set_state(struct probe *probe, enum probe_state state, int64_t due_tick)
{
	probe->state = state;
	probe->looked = false;
	set_due(probe, due_tick);
}

static void init_backoff(struct probe *probe)
{
	int64_t min_ms = probe->setup.interval_ms;

	backoff_init(&probe->backoff, min_ms,
		     min_ms > PROBE_RETRY_MAX_MS ? min_ms : PROBE_RETRY_MAX_MS,
		     random_next(&probe->prober->random));
}

/* Comes last in whatever calls it: the probe may be gone after it. */
static void tell(struct probe *probe, enum observation_outcome outcome)
{
	struct observation observation = {
		.outcome = outcome,
		.new_connection = probe->broke,
		.sent_ms = probe->sent_ms,
		.at_ms = clock_mono_ms(),
		.info = probe->round.info,
	};
	const char *peer = redis_conn_peer(probe->conn);

	if (outcome == OBSERVATION_ANSWERED) {
		observation.info_reply = probe->round.info_reply;
		observation.ping_reply = probe->round.ping_reply;
		text_copy(observation.peer, sizeof(observation.peer), peer, strlen(peer));
	}
	probe->broke = false;
	probe->setup.observe(probe->setup.context, &observation);
}

static void wait_to_retry(struct probe *probe)
{
	int64_t wait_ms = backoff_next_ms(&probe->backoff);

	redis_conn_close(probe->conn);
	probe->failed = false;
	probe->retry_tick = now_tick(probe) + wheel_to_ticks(wait_ms);
	set_state(probe, PROBE_WAITING, probe->retry_tick);
}

static void ask(struct probe *probe)
{
	size_t length;
	const char *bytes = probe_round_begin(&probe->round, &probe->prober->commands, &length);

	if (probe->round.needs_all) {
		probe_round_expect_login(&probe->round, probe->has_password);
		(void)redis_conn_login(probe->conn);
	}
	redis_conn_send(probe->conn, bytes, length);
}

static void attempt(struct probe *probe)
{
	enum probe_state state = PROBE_ASKING;

	probe->sent_ms = clock_mono_ms();
	probe->bytes = 0;
	if (!redis_conn_is_connected(probe->conn)) {
		probe_round_reset(&probe->round);
		redis_conn_open(probe->conn);
		state = PROBE_CONNECTING;
	}
	ask(probe);
	set_state(probe, state, probe->deadline_tick - 1);
}

static void set_deadline(struct probe *probe)
{
	probe->begun_tick = now_tick(probe);
	probe->deadline_tick = probe->begun_tick + wheel_to_ticks(probe->setup.timeout_ms);
}

static void begin_round(struct probe *probe)
{
	set_deadline(probe);
	probe->failed = false;
	attempt(probe);
}

/* A deadline is looked at twice, with a turn of the loop between: after a stall of our own, answers
 * that lie in the socket are read first. True when it has really passed. */
static bool look_again(struct probe *probe)
{
	int64_t next = now_tick(probe) + 1;

	if (probe->looked)
		return true;
	set_due(probe, probe->deadline_tick > next ? probe->deadline_tick : next);
	probe->looked = true;
	return false;
}

static void stay_late(struct probe *probe)
{
	int64_t now = now_tick(probe);

	probe->deadline_tick = now + wheel_to_ticks(probe->setup.timeout_ms);
	set_state(probe, PROBE_LATE, probe->deadline_tick - 1);
}

static bool is_given_up(const struct probe *probe)
{
	int64_t limit_ms = LATE_TIMEOUTS * probe->setup.timeout_ms;

	if (limit_ms < LATE_MIN_MS)
		limit_ms = LATE_MIN_MS;
	return now_tick(probe) - probe->late_tick >= wheel_to_ticks(limit_ms);
}

/* No break: it was not the node that ended it. */
static void give_up_connection(struct probe *probe)
{
	redis_conn_close(probe->conn);
	begin_round(probe);
}

static void miss_deadline(struct probe *probe)
{
	/* How it failed says more. */
	if (!probe->failed)
		probe_log_problem(&probe->log, -ETIMEDOUT);
	probe->failed = false;
	if (probe->state == PROBE_CONNECTING) {
		wait_to_retry(probe);
	} else if (probe->state == PROBE_ASKING) {
		probe->late_tick = now_tick(probe);
		stay_late(probe);
	} else if (is_given_up(probe)) {
		give_up_connection(probe);
	} else {
		stay_late(probe);
	}
	tell(probe, OBSERVATION_MISSED);
}

/* A round that failed is a miss at its deadline, not before: so misses never come faster than
 * time-outs, however fast the failures do. */
static void try_again(struct probe *probe)
{
	if (!probe->failed) {
		begin_round(probe);
	} else if (now_tick(probe) < probe->deadline_tick) {
		attempt(probe);
	} else {
		probe->failed = false;
		set_due(probe, probe->retry_tick);
		tell(probe, OBSERVATION_MISSED);
	}
}

static void on_due(struct wheel_entry *entry)
{
	struct probe *probe = container_of(entry, struct probe, due);
	int64_t behind = now_tick(probe) - probe->due.due_tick;

	switch (probe->state) {
	case PROBE_IDLE:
	case PROBE_WAITING:
		/* After a stall all are due at once: they must not stay in step. */
		if (behind > wheel_to_ticks(probe->setup.interval_ms))
			probe->spread = true;
		try_again(probe);
		break;
	case PROBE_CONNECTING:
	case PROBE_ASKING:
	case PROBE_LATE:
		if (look_again(probe))
			miss_deadline(probe);
		break;
	}
}

static int64_t next_round_tick(struct probe *probe)
{
	int64_t now = now_tick(probe);
	int64_t interval = wheel_to_ticks(probe->setup.interval_ms);
	int64_t tick = probe->begun_tick + interval;

	if (probe->spread)
		tick = now + 1 +
		       (int64_t)(random_next(&probe->prober->random) % (uint64_t)interval);
	probe->spread = false;
	return tick > now ? tick : now + 1;
}

static void finish_round(struct probe *probe)
{
	probe_round_finish(&probe->round);
	/* A second round proves it: who hangs up after each first would never be given a pause. */
	if (probe->answered) {
		probe->may_retry = true;
		backoff_reset(&probe->backoff);
	}
	probe->answered = true;
	probe->failed = false;
	probe_log_problem(&probe->log, 0);
	set_state(probe, PROBE_IDLE, next_round_tick(probe));
	tell(probe, OBSERVATION_ANSWERED);
}

/* It answered, but what we can do nothing with: that is no proof against the node. */
static void answered_badly(struct probe *probe, enum reply_class class, int problem)
{
	if (probe->state == PROBE_IDLE)
		probe->sent_ms = clock_mono_ms();
	probe->round.info_reply = class;
	probe->round.ping_reply = class;
	probe_log_problem(&probe->log, problem);
	wait_to_retry(probe);
	tell(probe, OBSERVATION_ANSWERED);
}

/* A refusal is the node's own word and counts at once. */
static void fail_round(struct probe *probe, int problem)
{
	if (probe->state == PROBE_IDLE)
		set_deadline(probe);
	probe_log_problem(&probe->log, problem);
	wait_to_retry(probe);
	if (problem == -ECONNREFUSED) {
		tell(probe, OBSERVATION_REFUSED);
		return;
	}
	probe->failed = true;
	bring_forward(probe, probe->deadline_tick);
}

/* That of a connection which never was any good tells nothing about the node: only the first time
 * it is a sign. True for a good one. */
static bool note_break(struct probe *probe)
{
	bool proved_good = probe->may_retry;

	probe->may_retry = false;
	probe->broke |= proved_good;
	return proved_good;
}

static void on_connected(void *context, struct redis_conn *conn)
{
	struct probe *probe = context;

	(void)conn;
	probe_log_connected(&probe->log);
	probe->connections++;
	probe->answered = false;
	set_state(probe, PROBE_ASKING, probe->deadline_tick - 1);
}

/* Replies in small pieces need not end, and the reader does not mind: it keeps none of them. */
static bool is_flood(struct probe *probe, const struct redis_value *value)
{
	probe->bytes += VALUE_MIN_BYTES;
	if (value->type != REDIS_ARRAY)
		probe->bytes += value->length;
	return probe->bytes > ROUND_MAX_BYTES;
}

static void on_value(void *context, struct redis_conn *conn, uint64_t reply,
		     const struct redis_value *value)
{
	struct probe *probe = context;

	(void)conn;
	(void)reply;
	if (probe->round.expected == 0) {
		/* Nobody asked: replies and questions no longer belong together. */
		note_break(probe);
		answered_badly(probe, REPLY_OTHER_ERROR, -EPROTO);
		return;
	}
	if (is_flood(probe, value)) {
		note_break(probe);
		answered_badly(probe, REPLY_OTHER_ERROR, -EMSGSIZE);
		return;
	}
	if (probe->state != PROBE_ASKING)
		return;
	probe_log_value(&probe->log, probe_round_question(&probe->round), value);
	probe_round_take(&probe->round, value);
}

static void on_reply(void *context, struct redis_conn *conn, uint64_t reply)
{
	struct probe *probe = context;

	(void)conn;
	(void)reply;
	probe_round_next(&probe->round);
	if (probe->round.expected)
		return;
	/* Late answers are old: they are dropped, and it is asked anew. */
	if (probe->state == PROBE_LATE)
		begin_round(probe);
	else
		finish_round(probe);
}

static void on_closed(void *context, struct redis_conn *conn, int status)
{
	struct probe *probe = context;
	bool proved_good;

	(void)conn;
	if (probe->state == PROBE_CONNECTING) {
		fail_round(probe, status);
		return;
	}
	proved_good = note_break(probe);
	if (status == -EPROTO || status == -EMSGSIZE) {
		answered_badly(probe, REPLY_OTHER_ERROR, status);
	} else if (probe->state == PROBE_ASKING && probe->round.last_error == REPLY_NO_ACCESS) {
		/* Protected mode, too many clients: an error, then the end. */
		answered_badly(probe, REPLY_NO_ACCESS, -EACCES);
	} else if (proved_good) {
		begin_round(probe);
	} else {
		fail_round(probe, status);
	}
}

static void on_wheel_closed(uv_handle_t *handle)
{
	struct prober *prober = container_of(handle, struct prober, wheel.timer);

	probe_commands_done(&prober->commands);
	free(prober);
}

struct prober *prober_new(uv_loop_t *loop)
{
	struct prober *prober = mem_calloc(1, sizeof(*prober));

	prober->loop = loop;
	prober->random = uv_hrtime() | 1;
	wheel_init(&prober->wheel, loop, on_due);
	probe_commands_init(&prober->commands);
	return prober;
}

void prober_free(struct prober *prober)
{
	struct probe *probe, *next;

	if (!prober)
		return;
	for (probe = prober->probes; probe; probe = next) {
		next = probe->next;
		probe_remove(probe);
	}
	wheel_stop(&prober->wheel, on_wheel_closed);
}

static struct redis_conn *new_connection(struct probe *probe, const struct probe_setup *setup)
{
	static const struct redis_conn_events events = { on_connected, on_value, on_reply,
							 on_closed };
	int64_t dead_after_ms = 2 * setup->timeout_ms;
	struct redis_conn_setup conn_setup = {
		.loop = probe->prober->loop,
		.address = setup->address,
		.username = setup->username,
		.password = setup->password,
		.client_name = CLIENT_NAME,
		.events = &events,
		.context = probe,
		.dead_after_ms = dead_after_ms > DEAD_MIN_MS ? dead_after_ms : DEAD_MIN_MS,
	};

	return redis_conn_new(&conn_setup);
}

struct probe *probe_add(struct prober *prober, const struct probe_setup *setup)
{
	struct probe *probe = mem_calloc(1, sizeof(*probe));

	probe->prober = prober;
	probe->setup = *setup;
	probe->setup.username = NULL;
	probe->setup.password = NULL;
	probe->has_password = setup->password != NULL;
	probe->conn = new_connection(probe, setup);
	probe->log.address = &probe->setup.address;
	probe->log.shortage = &prober->shortage;
	probe->spread = true;
	probe->may_retry = true;
	probe_round_reset(&probe->round);
	init_backoff(probe);
	probe->next = prober->probes;
	if (probe->next)
		probe->next->previous = probe;
	prober->probes = probe;
	set_state(probe, PROBE_IDLE, now_tick(probe));
	return probe;
}

void probe_remove(struct probe *probe)
{
	wheel_ring_remove(&probe->due);
	if (probe->next)
		probe->next->previous = probe->previous;
	if (probe->previous)
		probe->previous->next = probe->next;
	else
		probe->prober->probes = probe->next;
	redis_conn_free(probe->conn);
	free(probe);
}

static void hasten_retry(struct probe *probe, int64_t tick)
{
	if (tick < probe->retry_tick)
		probe->retry_tick = tick;
	bring_forward(probe, tick);
}

void probe_set_interval(struct probe *probe, int64_t interval_ms)
{
	bool is_shorter = interval_ms < probe->setup.interval_ms;

	if (interval_ms == probe->setup.interval_ms)
		return;
	probe->setup.interval_ms = interval_ms;
	init_backoff(probe);
	if (!is_shorter)
		probe->spread = true; /* those that went fast together must part again */
	else if (probe->state == PROBE_IDLE)
		bring_forward(probe, probe->begun_tick + wheel_to_ticks(interval_ms));
	else if (probe->state == PROBE_WAITING)
		hasten_retry(probe, now_tick(probe) + wheel_to_ticks(interval_ms));
}

uint64_t probe_connections(const struct probe *probe)
{
	return probe->connections;
}
