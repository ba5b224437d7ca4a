/*
 * The agent-check server. It owns listening sockets and the clients on them. Nearly every client's
 * line is there when it is accepted: accept4, recv, send, close, and no libuv handle. Only the slow
 * ones (no whole line yet, or no first verdict yet) become a `struct client`, limited in number and
 * in time. It refuses to know what the lines say.
 */
#include "io/agent_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/agent_peer.h"

#define PAUSE_MS      10  /* ends a line: HAProxy's CLI cannot send a newline */
#define LIFE_MS	      200 /* until a line must have ended */
#define BATCH	      64  /* accepted at one turn of the loop */
#define REST_MS	      50  /* when accept fails for a reason that lasts */
#define LOG_BURST     5
#define LOG_WINDOW_MS 10000

enum trouble {
	TROUBLE_UNKNOWN_NAME,
	TROUBLE_SILENT,
	TROUBLE_TOO_LONG,
	TROUBLE_TOO_SLOW,
	TROUBLE_TOO_MANY,
	TROUBLE_NOT_ALLOWED,
	TROUBLE_ACCEPT,
	TROUBLE_COUNT
};

struct listener {
	uv_poll_t poll;
	uv_timer_t rest;
	unsigned int open_handles;
	int descriptor;
	size_t line;
	struct agent_server *server;
	struct listener *next;
};

struct client {
	uv_poll_t poll;
	uv_timer_t timer; /* the line's end, or the wait for a first verdict */
	unsigned int open_handles;
	bool waiting;
	struct agent_peer peer;
	size_t line; /* what it is told; at first the listener's */
	uint64_t accepted_ms;
	struct agent_server *server;
	TAILQ_ENTRY(client) entry;
};

TAILQ_HEAD(clients, client);

struct agent_server {
	struct agent_server_setup setup;
	struct network *allow;
	struct listener *listeners;
	struct clients clients; /* the oldest first */
	size_t client_count;
	int spare; /* a descriptor to give up when there are no others */
	struct agent_server_counts counts;
	struct log_limit limits[TROUBLE_COUNT];
};

static uint64_t *trouble_counter(struct agent_server_counts *counts, enum trouble trouble)
{
	switch (trouble) {
	case TROUBLE_UNKNOWN_NAME:
		return &counts->unknown_name;
	case TROUBLE_SILENT:
		return &counts->silent;
	case TROUBLE_TOO_LONG:
		return &counts->too_long;
	case TROUBLE_TOO_SLOW:
		return &counts->too_slow;
	case TROUBLE_NOT_ALLOWED:
		return &counts->not_allowed;
	default:
		return &counts->too_many;
	}
}

/* Counts, and logs at a limited rate. */
static void complain(struct agent_server *server, enum trouble trouble,
		     const struct agent_peer *peer)
{
	static const char *const sentences[TROUBLE_COUNT] = {
		[TROUBLE_UNKNOWN_NAME] = "it asked for a name that no pool has",
		[TROUBLE_SILENT] = "it sent no name, and the listener has none of its own",
		[TROUBLE_TOO_LONG] = "its line is too long",
		[TROUBLE_TOO_SLOW] = "its line did not end in time",
		[TROUBLE_TOO_MANY] = "too many slow clients at one time",
		[TROUBLE_NOT_ALLOWED] = "its address is not in the allow-list",
		[TROUBLE_ACCEPT] = "out of descriptors or memory",
	};
	char name[ADDRESS_TEXT_SIZE], query[AGENT_PEER_QUERY_MAX + 1];
	unsigned int suppressed;

	++*trouble_counter(&server->counts, trouble);
	if (!log_limit_pass(&server->limits[trouble], clock_mono_ms(), LOG_BURST, LOG_WINDOW_MS,
			    &suppressed))
		return;
	log_warning("agent-check client refused: %s peer=%s query=\"%s\" suppressed=%u",
		    sentences[trouble], peer ? agent_peer_name(peer, name, sizeof(name)) : "?",
		    log_quotable(query, sizeof(query), peer ? peer->query : "",
				 peer ? peer->length : 0),
		    suppressed);
}

static bool is_allowed(const struct agent_server *server, const struct agent_peer *peer)
{
	for (size_t i = 0; i < server->setup.allow_count; i++) {
		if (network_contains(&server->allow[i], &peer->address.any))
			return true;
	}
	return server->setup.allow_count == 0;
}

/* Who hung up meanwhile loses nothing. */
static void tell(struct agent_server *server, const struct agent_peer *peer, const char *text,
		 size_t length)
{
	if (agent_peer_tell(peer, text, length))
		server->counts.answered++;
}

static void tell_line(struct agent_server *server, const struct agent_peer *peer, size_t line)
{
	size_t length;
	const char *text = answers_fetch(server->setup.answers, line, agent_peer_source(peer),
					 clock_mono_ms(), &length);

	if (text)
		tell(server, peer, text, length);
	else
		server->counts.no_verdict++;
}

static void tell_alive(struct agent_server *server, const struct agent_peer *peer)
{
	if (server->setup.is_alive && server->setup.is_alive(server->setup.context))
		tell(server, peer, "up\n", 3);
	else
		server->counts.no_verdict++;
}

/*
 * Answers, or not: the peer is done with. False: it has to wait for the first verdict of *line,
 * which is the listener's unless the peer has named one.
 */
static bool serve(struct agent_server *server, struct agent_peer *peer, size_t *line)
{
	const struct answers *answers = server->setup.answers;
	bool found;

	agent_peer_trim(peer);
	if (text_equal(peer->query, peer->length, "agent")) {
		tell_alive(server, peer);
		return true;
	}
	found = answers_find(answers, peer->query, peer->length, line);
	if (!found && *line == AGENT_SERVER_NO_LINE) {
		complain(server, peer->length ? TROUBLE_UNKNOWN_NAME : TROUBLE_SILENT, peer);
		return true;
	}
	if (answers_is_pending(answers, *line))
		return false;
	tell_line(server, peer, *line);
	return true;
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	if (--client->open_handles == 0)
		free(client);
}

static void client_close(struct client *client)
{
	TAILQ_REMOVE(&client->server->clients, client, entry);
	client->server->client_count--;
	uv_close((uv_handle_t *)&client->poll, on_client_closed);
	uv_close((uv_handle_t *)&client->timer, on_client_closed);
	agent_peer_hang_up(&client->peer);
}

static int64_t client_age_ms(const struct client *client)
{
	return (int64_t)(uv_now(client->server->setup.loop) - client->accepted_ms);
}

static void on_client_timer(uv_timer_t *timer);

static void client_start_timer(struct client *client, int64_t delay_ms)
{
	/* Fails only for a handle that is closing. */
	(void)uv_timer_start(&client->timer, on_client_timer, delay_ms > 0 ? (uint64_t)delay_ms : 0,
			     0);
}

static void client_wait(struct client *client)
{
	client->waiting = true;
	uv_poll_stop(&client->poll);
	client_start_timer(client, client->server->setup.start_hold_ms - client_age_ms(client));
}

static void client_finish(struct client *client)
{
	if (serve(client->server, &client->peer, &client->line))
		client_close(client);
	else
		client_wait(client);
}

static void client_give_up(struct client *client, enum trouble trouble)
{
	complain(client->server, trouble, &client->peer);
	client_close(client);
}

/*
 * The pause that ends a line begins with its first byte: a client may be slow to speak at all. Only
 * where the listener has a line of its own, saying nothing is an answer, and need not be waited
 * for.
 */
static void client_go_on(struct client *client)
{
	int64_t left_ms = LIFE_MS - client_age_ms(client);
	bool may_pause = client->peer.length > 0 || client->line != AGENT_SERVER_NO_LINE;

	if (left_ms <= 0)
		client_give_up(client, TROUBLE_TOO_SLOW);
	else
		client_start_timer(client, may_pause && PAUSE_MS < left_ms ? PAUSE_MS : left_ms);
}

/* AGENT_PEER_NOTHING is the caller's. */
static void client_take(struct client *client, enum agent_peer_reading reading)
{
	switch (reading) {
	case AGENT_PEER_SOME:
		client_go_on(client);
		break;
	case AGENT_PEER_LINE:
		client_finish(client);
		break;
	case AGENT_PEER_TOO_LONG:
		client_give_up(client, TROUBLE_TOO_LONG);
		break;
	case AGENT_PEER_NOTHING:
		break;
	case AGENT_PEER_BROKEN:
		client_close(client);
		break;
	}
}

static void on_client_readable(uv_poll_t *poll, int status, int events)
{
	struct client *client = poll->data;

	(void)events;
	/* A reset shows as an error of the poll. */
	client_take(client, status < 0 ? AGENT_PEER_BROKEN : agent_peer_read(&client->peer));
}

/* Bytes may have come while the loop stood still: they are read before the silence is judged. */
static void on_client_timer(uv_timer_t *timer)
{
	struct client *client = timer->data;
	enum agent_peer_reading reading;

	if (client->waiting) {
		client->server->counts.no_verdict++;
		client_close(client);
		return;
	}
	reading = agent_peer_read(&client->peer);
	if (reading != AGENT_PEER_NOTHING)
		client_take(client, reading);
	else if (client->peer.length > 0 && client_age_ms(client) >= LIFE_MS)
		client_give_up(client, TROUBLE_TOO_SLOW);
	else
		client_finish(client);
}

/* With no room left the oldest goes: a crowd that says nothing pushes itself out, not who comes to
 * ask. */
static void make_room(struct agent_server *server)
{
	struct client *oldest = TAILQ_FIRST(&server->clients);

	if (server->client_count < server->setup.max_clients)
		return;
	complain(server, TROUBLE_TOO_MANY, &oldest->peer);
	client_close(oldest);
}

/* NULL, and the peer is gone, when the loop can't take it. */
static struct client *client_new(struct agent_server *server, const struct agent_peer *peer,
				 size_t line)
{
	struct client *client;

	make_room(server);
	client = mem_calloc(1, sizeof(*client));
	if (uv_poll_init(server->setup.loop, &client->poll, peer->descriptor) < 0) {
		complain(server, TROUBLE_ACCEPT, peer);
		agent_peer_hang_up(peer);
		free(client);
		return NULL;
	}
	uv_timer_init(server->setup.loop, &client->timer);
	client->poll.data = client->timer.data = client;
	client->open_handles = 2;
	client->peer = *peer;
	client->line = line;
	client->accepted_ms = uv_now(server->setup.loop);
	client->server = server;
	TAILQ_INSERT_TAIL(&server->clients, client, entry);
	server->client_count++;
	return client;
}

static void client_start(struct client *client)
{
	if (uv_poll_start(&client->poll, UV_READABLE, on_client_readable) < 0)
		client_give_up(client, TROUBLE_ACCEPT);
	else
		client_go_on(client);
}

/* The fast path, and where it is left. */
static void greet(struct agent_server *server, struct agent_peer *peer, size_t line)
{
	struct client *client;
	enum agent_peer_reading reading;

	reading = agent_peer_read(peer);
	if (reading == AGENT_PEER_TOO_LONG)
		complain(server, TROUBLE_TOO_LONG, peer);
	if (reading == AGENT_PEER_TOO_LONG || reading == AGENT_PEER_BROKEN ||
	    (reading == AGENT_PEER_LINE && serve(server, peer, &line))) {
		agent_peer_hang_up(peer);
		return;
	}
	client = client_new(server, peer, line);
	if (client && reading == AGENT_PEER_LINE)
		client_wait(client);
	else if (client)
		client_start(client);
}

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_listener_readable(uv_poll_t *poll, int status, int events);

static void on_listener_rested(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	(void)uv_poll_start(&listener->poll, UV_READABLE, on_listener_readable);
}

static void listener_rest(struct listener *listener)
{
	uv_poll_stop(&listener->poll);
	(void)uv_timer_start(&listener->rest, on_listener_rested, REST_MS, 0);
}

/* Without a descriptor the client would stay in the queue and the loop would spin on it: the spare
 * one is given up to accept and close it. */
static void listener_shed(struct listener *listener)
{
	struct agent_server *server = listener->server;
	struct agent_peer peer;
	int error = -EMFILE;

	if (server->spare >= 0)
		close(server->spare);
	if (server->spare >= 0)
		error = agent_peer_accept(listener->descriptor, &peer);
	if (error == 0)
		close(peer.descriptor);
	complain(server, TROUBLE_ACCEPT, error == 0 ? &peer : NULL);
	server->spare = open_spare();
	if (error < 0)
		listener_rest(listener);
}

/* True while there may be more to accept. */
static bool listener_failed(struct listener *listener, int error, size_t accepted)
{
	switch (error) {
	case -EAGAIN:
		return false;
	case -EINTR:
	case -ECONNABORTED:
	case -EPROTO:
	case -EPERM:
		return true;
	case -EMFILE:
	case -ENFILE:
		/* Those just accepted are about to give theirs back. */
		if (!accepted)
			listener_shed(listener);
		return false;
	default:
		complain(listener->server, TROUBLE_ACCEPT, NULL);
		listener_rest(listener);
		return false;
	}
}

/* All are accepted before the first is read: the later a line is looked for, the likelier it is
 * there. */
static void on_listener_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	struct agent_server *server = listener->server;
	struct agent_peer peers[BATCH];
	size_t count = 0;

	(void)events;
	if (status < 0) {
		(void)listener_failed(listener, status, 0);
		return;
	}
	uv_update_time(server->setup.loop);
	for (size_t turn = 0; turn < BATCH; turn++) {
		int error = agent_peer_accept(listener->descriptor, &peers[count]);

		if (error < 0 && !listener_failed(listener, error, count))
			break;
		if (error < 0)
			continue;
		if (is_allowed(server, &peers[count])) {
			count++;
			continue;
		}
		complain(server, TROUBLE_NOT_ALLOWED, &peers[count]);
		close(peers[count].descriptor);
	}
	for (size_t i = 0; i < count; i++)
		greet(server, &peers[i], listener->line);
}

struct agent_server *agent_server_new(const struct agent_server_setup *setup)
{
	struct agent_server *server = mem_calloc(1, sizeof(*server));

	server->setup = *setup;
	TAILQ_INIT(&server->clients);
	server->allow = mem_calloc(setup->allow_count, sizeof(*server->allow));
	if (setup->allow_count)
		memcpy(server->allow, setup->allow, setup->allow_count * sizeof(*server->allow));
	server->setup.allow = server->allow;
	server->spare = open_spare();
	return server;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	if (--listener->open_handles == 0)
		free(listener);
}

/* What the close callbacks touch is theirs alone; the server need not wait for them. */
void agent_server_free(struct agent_server *server)
{
	struct listener *listener, *next;

	if (!server)
		return;
	while (!TAILQ_EMPTY(&server->clients))
		client_close(TAILQ_FIRST(&server->clients));
	for (listener = server->listeners; listener; listener = next) {
		next = listener->next;
		uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
		uv_close((uv_handle_t *)&listener->rest, on_listener_closed);
		close(listener->descriptor);
	}
	if (server->spare >= 0)
		close(server->spare);
	free(server->allow);
	free(server);
}

int agent_server_listen(struct agent_server *server, int descriptor, size_t line)
{
	struct listener *listener = mem_calloc(1, sizeof(*listener));
	int error = uv_poll_init(server->setup.loop, &listener->poll, descriptor);

	if (error < 0) {
		free(listener);
		return error;
	}
	uv_timer_init(server->setup.loop, &listener->rest);
	listener->poll.data = listener->rest.data = listener;
	listener->open_handles = 2;
	listener->descriptor = descriptor;
	listener->line = line;
	listener->server = server;
	listener->next = server->listeners;
	server->listeners = listener;
	/* Fails only for a handle that is closing. */
	(void)uv_poll_start(&listener->poll, UV_READABLE, on_listener_readable);
	return 0;
}

void agent_server_wake(struct agent_server *server)
{
	struct client *client, *next;

	for (client = TAILQ_FIRST(&server->clients); client; client = next) {
		next = TAILQ_NEXT(client, entry);
		if (!client->waiting || answers_is_pending(server->setup.answers, client->line))
			continue;
		tell_line(server, &client->peer, client->line);
		client_close(client);
	}
}

const struct agent_server_counts *agent_server_counts(const struct agent_server *server)
{
	return &server->counts;
}
