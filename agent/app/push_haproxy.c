/*
 * One HAProxy under the push. It reads what HAProxy shows, plans line by line, sends, and reads
 * back in the same batch. A line that HAProxy will not change is tried thrice at once, then once
 * each reconcile_interval, and told of in HAProxy's own words.
 */
#include "app/push_haproxy.h"

#include <stdlib.h>
#include <string.h>

#include "app/attach.h"
#include "app/push_old.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/haproxy.h"

#define BATCH_TIMEOUT_MS 1000
#define TRIES		 3
#define RETRY_MS	 50   /* while its socket is away, and once more when it is back */
#define STEPS_SIZE	 1200 /* more than one line's commands take */

/* What is known of a line here. */
struct told {
	const struct shown_server *shown; /* into `shown`, or NULL: not there */
	bool trusted;			  /* the mark was set by us since HAProxy started */
	uint64_t sent;			  /* the last batch that had steps for it; 0: none yet */
	bool closing; /* … which is under way, and closes it in a master pool */
	enum verdict_state sent_for;
	unsigned int tries; /* in vain */
	enum plan_mismatch mismatch;
};

struct push_haproxy {
	struct push_haproxy_setup setup;
	struct haproxy *socket;
	struct haproxy_watch *watch; /* NULL without a ring */
	struct push_old *old;	     /* NULL without a master socket */
	char name[ADDRESS_TEXT_SIZE];
	struct shown shown, next; /* `next` is being read */
	struct told *told;	  /* one a line */
	struct address *seen;	  /* where each line's server was; NULL: not followed */
	bool known;		  /* it was read since it was last away */
	bool reachable;
	bool reconciling; /* the last answer was to a whole reading: those tried in vain get a new
			     try */
	bool in_doubt;	  /* a batch got no answer: HAProxy may carry it out long after */
	bool reading_failed;
	bool look_again; /* something happened during the reading */
	bool released;
	size_t readings; /* batches of a reading under way */
	uint64_t batch;	 /* the number of the next one; the first is 1 */
	uint64_t answered;
	uv_timer_t timer;
};

const char *push_haproxy_name(const struct push_haproxy *haproxy)
{
	return haproxy->name;
}

static struct plan_line plan_line_of(const struct push_haproxy *haproxy, size_t line)
{
	const struct push_line *it = &haproxy->setup.lines[line];
	const struct told *told = &haproxy->told[line];

	return (struct plan_line){
		.policy = it->policy,
		.wanted = &it->wanted,
		.shown = told->shown,
		.trusted = told->trusted,
	};
}

static unsigned int plan(const struct push_haproxy *haproxy, size_t line)
{
	struct plan_line it = plan_line_of(haproxy, line);

	return plan_make(&it);
}

/* By name, else by address: the only server of the backend that has it. */
static const struct shown_server *find_server(const struct shown *shown,
					      const struct push_line *line)
{
	const struct shown_server *found = shown_find(shown, line->backend, line->node->name);

	for (size_t i = 0; !found && i < shown->count; i++) {
		const struct shown_server *server = &shown->servers[i];

		if (strcmp(server->backend, line->backend) == 0 &&
		    server->port == line->node->address.port &&
		    strcmp(server->address, line->node->address.host) == 0)
			found = server;
	}
	return found;
}

static void resolve_servers(struct push_haproxy *haproxy)
{
	for (size_t i = 0; i < haproxy->setup.line_count; i++)
		haproxy->told[i].shown = find_server(&haproxy->shown, &haproxy->setup.lines[i]);
}

static const char *mismatch_sentence(enum plan_mismatch mismatch)
{
	static const char *const sentences[] = {
		[PLAN_AGREED] = "as the agent wants it",
		[PLAN_KEPT_DOWN_BY_CHECK] =
			"the agent has opened it, HAProxy's own check keeps it down",
		[PLAN_OPERATOR_MAINT] = "an operator's maintenance, left alone",
		[PLAN_OPERATOR_DRAIN] = "an operator's drain, left alone",
		[PLAN_OPERATOR_WEIGHT] = "an operator's weight of 0, left alone",
		[PLAN_NOT_THERE] = "HAProxy has no such server: check the names and addresses",
	};

	return sentences[mismatch];
}

static void report_mismatch(struct push_haproxy *haproxy, size_t line)
{
	const struct push_line *it = &haproxy->setup.lines[line];
	struct told *told = &haproxy->told[line];
	struct plan_line planned = plan_line_of(haproxy, line);
	enum plan_mismatch mismatch = plan_compare(&planned);

	if (mismatch == told->mismatch)
		return;
	told->mismatch = mismatch;
	log_write(mismatch == PLAN_AGREED ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
		  "haproxy_mismatch haproxy=%s server=%s/%s status=\"%s\": %s", haproxy->name,
		  it->backend, it->node->name, told->shown ? told->shown->status : "",
		  mismatch_sentence(mismatch));
}

/* After the answer to a batch that was to change the line; unless something else is wanted by now.
 * True: it is as it was wanted. */
static bool verify(struct push_haproxy *haproxy, size_t line)
{
	const struct push_line *it = &haproxy->setup.lines[line];
	struct told *told = &haproxy->told[line];
	bool trusted = told->trusted;
	unsigned int steps;

	if (!told->shown || told->sent_for != it->wanted.state)
		return false;
	told->trusted = true;
	steps = plan(haproxy, line);
	if (steps == 0) {
		told->tries = 0;
		return true;
	}
	told->trusted = trusted;
	if (++told->tries != TRIES || steps == PLAN_CUT_SESSIONS)
		return false;
	log_error("haproxy_mismatch haproxy=%s server=%s/%s status=\"%s\" message=\"%s\": it does "
		  "not do "
		  "what it is told",
		  haproxy->name, it->backend, it->node->name, told->shown->status,
		  haproxy->shown.message);
	return false;
}

static void lose(struct push_haproxy *haproxy, int status)
{
	if (haproxy->reachable || !haproxy->known)
		log_warning(
			"haproxy_unreachable haproxy=%s error=\"%s\": it is told when it is back",
			haproxy->name, strerror(-status));
	haproxy->reachable = false;
	haproxy->known = true; /* that it is away */
	for (size_t i = 0; i < haproxy->setup.line_count; i++)
		haproxy->told[i].closing = false;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct push_haproxy *haproxy)
{
	int64_t wait_ms =
		haproxy->reachable ? haproxy->setup.push->reconcile_interval_ms : RETRY_MS;

	uv_timer_start(&haproxy->timer, on_timer, (uint64_t)wait_ms, 0);
}

/* An answer to an agent-check that was on its way is taken after what was pushed: look once more.
 */
static void look_soon(struct push_haproxy *haproxy)
{
	uv_timer_start(&haproxy->timer, on_timer, RETRY_MS, 0);
}

static bool is_closed(void *context, const char *backend, const char *server)
{
	const struct push_haproxy *haproxy = context;

	for (size_t i = 0; i < haproxy->setup.line_count; i++) {
		const struct push_line *line = &haproxy->setup.lines[i];
		const struct shown_server *shown = haproxy->told[i].shown;

		if (line->policy->role == POOL_MASTER && shown &&
		    strcmp(line->backend, backend) == 0 && strcmp(shown->name, server) == 0)
			return line->wanted.state == VERDICT_DOWN ||
			       line->wanted.state == VERDICT_STANDBY;
	}
	return false;
}

static void sweep(struct push_haproxy *haproxy)
{
	if (haproxy->old)
		push_old_sweep(haproxy->old);
}

static void on_sent(void *context, int status, const char *output, size_t length)
{
	struct push_haproxy *haproxy = context;
	size_t count = haproxy->shown.count;
	bool well = status == 0;

	haproxy->answered++;
	if (status < 0) {
		lose(haproxy, status);
		arm(haproxy);
	} else {
		haproxy->shown.message[0] = '\0';
		shown_read(&haproxy->shown, output, length);
		if (haproxy->shown.count != count)
			resolve_servers(haproxy);
	}
	for (size_t i = 0; i < haproxy->setup.line_count; i++) {
		struct told *told = &haproxy->told[i];

		if (told->sent != haproxy->answered)
			continue;
		told->closing = false;
		well = well && verify(haproxy, i);
	}
	if (well)
		look_soon(haproxy);
	haproxy->reconciling = false;
	sweep(haproxy);
	haproxy->setup.done(haproxy->setup.context, haproxy);
}

/* A whole reading has come: is it the same process, and what does it show? */
static void take_reading(struct push_haproxy *haproxy)
{
	struct shown *is = &haproxy->next;
	bool restarted = haproxy->shown.pid != is->pid || haproxy->shown.start_s != is->start_s;

	if (!haproxy->reachable || restarted)
		log_info("haproxy haproxy=%s version=%s pid=%lld: %s", haproxy->name, is->version,
			 (long long)is->pid, restarted ? "a new process" : "reached again");
	shown_done(&haproxy->shown);
	haproxy->shown = *is;
	shown_init(is);
	haproxy->known = haproxy->reachable = true;
	resolve_servers(haproxy);
	for (size_t i = 0; i < haproxy->setup.line_count; i++) {
		if (restarted)
			haproxy->told[i].trusted = false;
		report_mismatch(haproxy, i);
	}
}

/*
 * Only a change moves a node, never a difference: the server of another backend may stay behind
 * for a while, and must not call it back.
 */
static void follow(struct push_haproxy *haproxy)
{
	struct address address;

	for (size_t i = 0; haproxy->seen && i < haproxy->setup.line_count; i++) {
		const struct shown_server *shown = haproxy->told[i].shown;

		if (!shown || !attach_read_address(shown, &address) ||
		    address_equal(&address, &haproxy->seen[i]))
			continue;
		haproxy->seen[i] = address;
		haproxy->setup.moved(haproxy->setup.context, i, &address);
	}
}

static void see_addresses(struct push_haproxy *haproxy)
{
	haproxy->seen = mem_calloc(haproxy->setup.line_count, sizeof(*haproxy->seen));
	for (size_t i = 0; i < haproxy->setup.line_count; i++)
		haproxy->seen[i] = haproxy->setup.lines[i].node->address;
}

/*
 * The next reading comes soon after one that found it away: HAProxy carries out what it got while
 * it hung when it goes on, even though nobody waits for the answer any more.
 */
static void on_reading(void *context, int status, const char *output, size_t length)
{
	struct push_haproxy *haproxy = context;

	if (status == 0) {
		shown_read(&haproxy->next, output, length);
	} else {
		lose(haproxy, status);
		haproxy->reading_failed = true;
	}
	if (--haproxy->readings > 0)
		return;
	arm(haproxy);
	if (haproxy->look_again)
		look_soon(haproxy);
	haproxy->look_again = false;
	if (!haproxy->reading_failed) {
		take_reading(haproxy);
		follow(haproxy);
		haproxy->reconciling = true;
		sweep(haproxy);
	}
	haproxy->setup.done(haproxy->setup.context, haproxy);
}

static void send_reading(struct push_haproxy *haproxy, struct text *batch)
{
	haproxy->readings++;
	haproxy_send(haproxy->socket, batch->data, BATCH_TIMEOUT_MS, on_reading, haproxy);
}

static bool is_new_backend(const struct push_haproxy *haproxy, size_t line)
{
	return line == 0 || haproxy->setup.lines[line].pool != haproxy->setup.lines[line - 1].pool;
}

/* Who it is, then the servers of each backend; in as many batches as that takes. */
static void read_all(struct push_haproxy *haproxy)
{
	char data[HAPROXY_BATCH_SIZE];
	struct text batch;

	haproxy->reading_failed = false;
	shown_done(&haproxy->next);
	shown_init(&haproxy->next);
	text_init(&batch, data, sizeof(data));
	text_add(&batch, "show info");
	for (size_t i = 0; i < haproxy->setup.line_count; i++) {
		const char *backend = haproxy->setup.lines[i].backend;

		if (!is_new_backend(haproxy, i))
			continue;
		if (batch.length + 2 * strlen(backend) + 64 > sizeof(data)) {
			send_reading(haproxy, &batch);
			text_init(&batch, data, sizeof(data));
		}
		text_addf(&batch, "%sshow servers state %s;show stat %s 4 -1",
			  batch.length ? ";" : "", backend, backend);
	}
	send_reading(haproxy, &batch);
}

static void on_timer(uv_timer_t *timer)
{
	struct push_haproxy *haproxy = timer->data;

	if (haproxy->readings == 0 && !haproxy->released)
		read_all(haproxy);
}

static void on_event(void *context, bool ended)
{
	struct push_haproxy *haproxy = context;

	(void)ended;
	if (haproxy->readings > 0)
		haproxy->look_again = true;
	else if (!haproxy->released)
		read_all(haproxy);
}

struct push_haproxy *push_haproxy_new(const struct push_haproxy_setup *setup)
{
	struct push_haproxy *haproxy = mem_calloc(1, sizeof(*haproxy));

	haproxy->setup = *setup;
	haproxy->batch = 1;
	address_format(&setup->settings->socket, haproxy->name, sizeof(haproxy->name));
	haproxy->socket = haproxy_new(setup->loop, &setup->settings->socket);
	haproxy->told = mem_calloc(setup->line_count, sizeof(*haproxy->told));
	if (setup->moved)
		see_addresses(haproxy);
	shown_init(&haproxy->shown);
	shown_init(&haproxy->next);
	uv_timer_init(setup->loop, &haproxy->timer);
	haproxy->timer.data = haproxy;
	if (setup->settings->events)
		haproxy->watch = haproxy_watch_new(setup->loop, &setup->settings->socket,
						   setup->settings->events, on_event, haproxy);
	if (setup->settings->master_socket.host[0])
		haproxy->old = push_old_new(setup->loop, &setup->settings->master_socket, is_closed,
					    haproxy);
	read_all(haproxy);
	return haproxy;
}

static void on_closed(uv_handle_t *handle)
{
	struct push_haproxy *haproxy = handle->data;

	shown_done(&haproxy->shown);
	shown_done(&haproxy->next);
	free(haproxy->told);
	free(haproxy->seen);
	free(haproxy);
}

void push_haproxy_free(struct push_haproxy *haproxy)
{
	haproxy_watch_free(haproxy->watch);
	push_old_free(haproxy->old);
	haproxy_free(haproxy->socket);
	uv_close((uv_handle_t *)&haproxy->timer, on_closed);
}

/* A batch under construction. */
struct batch {
	struct text text;
	char data[HAPROXY_BATCH_SIZE];
};

static void batch_send(struct push_haproxy *haproxy, struct batch *batch)
{
	haproxy_send(haproxy->socket, batch->text.data, BATCH_TIMEOUT_MS, on_sent, haproxy);
	haproxy->batch++;
	text_init(&batch->text, batch->data, sizeof(batch->data));
}

/* Room for @more bytes, after sending what is there if need be. */
static void batch_make_room(struct push_haproxy *haproxy, struct batch *batch, size_t more)
{
	if (batch->text.length > 0 && batch->text.length + more >= sizeof(batch->data))
		batch_send(haproxy, batch);
}

static void add_steps(struct push_haproxy *haproxy, struct batch *batch, size_t line,
		      unsigned int steps)
{
	const struct push_line *it = &haproxy->setup.lines[line];
	struct plan_line planned = plan_line_of(haproxy, line);
	struct told *told = &haproxy->told[line];

	plan_write(&batch->text, it->backend, told->shown->name, steps,
		   plan_weight_percent(&planned));
	told->sent = haproxy->batch;
	told->sent_for = it->wanted.state;
	told->closing = it->policy->role == POOL_MASTER && !(steps & PLAN_OPENS);
}

/* Whether the line is to be tried (again) now. What was sent is waited for: each HAProxy's answer
 * makes all be looked at, and would double what waits at the others. */
static bool is_due(struct push_haproxy *haproxy, size_t line)
{
	struct told *told = &haproxy->told[line];

	if (told->sent_for != haproxy->setup.lines[line].wanted.state)
		told->tries = 0;
	else if (told->sent > haproxy->answered)
		return false;
	return told->shown && (told->tries < TRIES || haproxy->reconciling);
}

static bool is_held_back(const struct push_line *line, unsigned int steps, bool may_open)
{
	return !may_open && line->policy->role == POOL_MASTER && steps & PLAN_OPENS;
}

/* The steps of one sort for all lines of the shard: closings of all come before any opening. */
static bool add_sort(struct push_haproxy *haproxy, struct batch *batch, size_t shard, bool opens,
		     bool may_open)
{
	bool any = false;

	for (size_t i = haproxy->setup.first[shard]; i < haproxy->setup.first[shard + 1]; i++) {
		unsigned int steps = is_due(haproxy, i) ? plan(haproxy, i) : 0;

		if (steps == 0 || !!(steps & PLAN_OPENS) != opens ||
		    is_held_back(&haproxy->setup.lines[i], steps, may_open))
			continue;
		batch_make_room(haproxy, batch, STEPS_SIZE);
		add_steps(haproxy, batch, i, steps);
		any = true;
	}
	return any;
}

static void add_read_back(struct push_haproxy *haproxy, struct batch *batch, size_t shard)
{
	for (size_t i = haproxy->setup.first[shard]; i < haproxy->setup.first[shard + 1]; i++) {
		if (!is_new_backend(haproxy, i))
			continue;
		batch_make_room(haproxy, batch, STEPS_SIZE);
		text_addf(&batch->text, "%sshow stat %s 4 -1", batch->text.length ? ";" : "",
			  haproxy->setup.lines[i].backend);
	}
}

void push_haproxy_send(struct push_haproxy *haproxy, size_t shard, bool may_open)
{
	struct batch batch;
	bool any;

	if (!haproxy->reachable || haproxy->released)
		return;
	text_init(&batch.text, batch.data, sizeof(batch.data));
	any = add_sort(haproxy, &batch, shard, false, may_open);
	any |= add_sort(haproxy, &batch, shard, true, may_open);
	if (!any)
		return;
	add_read_back(haproxy, &batch, shard);
	batch_send(haproxy, &batch);
}

bool push_haproxy_is_closing(const struct push_haproxy *haproxy, size_t shard)
{
	for (size_t i = haproxy->setup.first[shard]; i < haproxy->setup.first[shard + 1]; i++)
		if (haproxy->told[i].closing)
			return true;
	return false;
}

bool push_haproxy_must_close(const struct push_haproxy *haproxy, size_t shard)
{
	if (!haproxy->reachable)
		return false;
	for (size_t i = haproxy->setup.first[shard]; i < haproxy->setup.first[shard + 1]; i++)
		if (haproxy->setup.lines[i].policy->role == POOL_MASTER && haproxy->told[i].shown &&
		    haproxy->told[i].tries < TRIES &&
		    plan(haproxy, i) & (PLAN_AGENT_DOWN | PLAN_WEIGHT_ZERO))
			return true;
	return false;
}

bool push_haproxy_refuses(const struct push_haproxy *haproxy, size_t shard)
{
	if (!haproxy->reachable)
		return false;
	for (size_t i = haproxy->setup.first[shard]; i < haproxy->setup.first[shard + 1]; i++)
		if (haproxy->setup.lines[i].policy->role == POOL_MASTER && haproxy->told[i].shown &&
		    haproxy->told[i].tries >= TRIES &&
		    plan(haproxy, i) & (PLAN_AGENT_DOWN | PLAN_WEIGHT_ZERO))
			return true;
	return false;
}

/* It would be opened by the user's own checks, and is not the master. */
static bool stays_closed(const struct verdict *wanted)
{
	return wanted->state == VERDICT_DOWN &&
	       (wanted->reason == REASON_RETURNED_MASTER ||
		wanted->reason == REASON_SECOND_MASTER || wanted->reason == REASON_TIE);
}

void push_haproxy_release(struct push_haproxy *haproxy)
{
	struct batch batch;

	haproxy->released = true;
	uv_timer_stop(&haproxy->timer);
	text_init(&batch.text, batch.data, sizeof(batch.data));
	for (size_t i = 0; i < haproxy->setup.line_count; i++) {
		const struct push_line *line = &haproxy->setup.lines[i];
		const struct shown_server *shown = haproxy->told[i].shown;

		if (!shown || stays_closed(&line->wanted))
			continue;
		batch_make_room(haproxy, &batch, STEPS_SIZE);
		text_addf(&batch.text, "%s%s %s/%s%s", batch.text.length ? ";" : "",
			  shown_has_agent(shown) ? "disable agent" : "set server", line->backend,
			  shown->name, shown_has_agent(shown) ? "" : " weight 100%");
	}
	if (batch.text.length > 0)
		batch_send(haproxy, &batch);
}

size_t push_haproxy_pending(const struct push_haproxy *haproxy)
{
	return haproxy_pending(haproxy->socket);
}

bool push_haproxy_is_reachable(const struct push_haproxy *haproxy)
{
	return haproxy->reachable;
}

bool push_haproxy_is_known(const struct push_haproxy *haproxy)
{
	return haproxy->known;
}
