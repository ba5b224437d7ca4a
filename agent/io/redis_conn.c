/*
 * A connection to one server over the addresses that its name has: one link after another until one
 * connects, login, and the counting of replies. Owns the link of the moment and the bytes that wait
 * for it. It decides nothing: when to try again, its owner says.
 */
#include "io/redis_conn.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/redis_link.h"
#include "io/redis_lookup.h"

struct redis_conn {
	struct redis_conn_setup setup; /* its strings are the next three */
	char *username, *password, *client_name;
	struct redis_lookup *lookup; /* NULL: the address is no name */
	struct redis_link *link;
	int failure; /* of the addresses tried so far */
	bool connected;
	uint64_t replies;
	char *waiting; /* commands sent before it is connected */
	size_t waiting_length;
	char peer[INET6_ADDRSTRLEN];
};

static bool connect_next(struct redis_conn *conn);
static void on_looked_up(void *context, int status);

static char *copy_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

struct redis_conn *redis_conn_new(const struct redis_conn_setup *setup)
{
	struct redis_conn *conn = mem_calloc(1, sizeof(*conn));

	conn->setup = *setup;
	conn->username = copy_or_null(setup->username);
	conn->password = copy_or_null(setup->password);
	conn->client_name = copy_or_null(setup->client_name);
	conn->setup.username = conn->username;
	conn->setup.password = conn->password;
	conn->setup.client_name = conn->client_name;
	if (setup->address.kind == ADDRESS_NAME)
		conn->lookup = redis_lookup_new(setup->loop, setup->address.host,
						setup->address.port, on_looked_up, conn);
	return conn;
}

static void free_secret(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void redis_conn_free(struct redis_conn *conn)
{
	if (!conn)
		return;
	redis_conn_close(conn);
	redis_lookup_free(conn->lookup);
	free(conn->username);
	free_secret(conn->password);
	free(conn->client_name);
	free(conn);
}

static void forget_waiting(struct redis_conn *conn)
{
	/* A password may be among them. */
	if (conn->waiting)
		explicit_bzero(conn->waiting, conn->waiting_length);
	free(conn->waiting);
	conn->waiting = NULL;
	conn->waiting_length = 0;
}

void redis_conn_close(struct redis_conn *conn)
{
	if (conn->lookup && conn->link && !conn->connected)
		redis_lookup_note_hung(conn->lookup);
	if (conn->lookup)
		redis_lookup_stop(conn->lookup);
	if (conn->link)
		redis_link_drop(conn->link);
	conn->link = NULL;
	conn->connected = false;
	conn->peer[0] = '\0';
	forget_waiting(conn);
}

static void on_connected(void *context)
{
	struct redis_conn *conn = context;
	struct sockaddr_storage sockaddr;
	struct address address;
	socklen_t length;

	conn->connected = true;
	if (conn->lookup)
		redis_lookup_stop(conn->lookup);
	if (redis_link_peer(conn->link, &sockaddr, &length) == 0 &&
	    address_from_sockaddr((struct sockaddr *)&sockaddr, length, &address) == 0)
		text_copy(conn->peer, sizeof(conn->peer), address.host, strlen(address.host));
	if (conn->waiting_length)
		redis_link_write(conn->link, conn->waiting, conn->waiting_length);
	forget_waiting(conn);
	conn->setup.events->connected(conn->setup.context, conn);
}

static void on_value(void *context, const struct redis_value *value)
{
	struct redis_conn *conn = context;

	conn->setup.events->value(conn->setup.context, conn, conn->replies, value);
}

static void on_reply(void *context)
{
	struct redis_conn *conn = context;

	conn->setup.events->reply(conn->setup.context, conn, conn->replies++);
}

/* Refused only if every address refused. */
static void note_failure(struct redis_conn *conn, int status)
{
	if (conn->failure == 0 || conn->failure == -ECONNREFUSED)
		conn->failure = status;
}

static void on_ended(void *context, int status)
{
	struct redis_conn *conn = context;
	bool was_connected = conn->connected;

	conn->link = NULL;
	if (!was_connected) {
		note_failure(conn, status);
		status = conn->failure;
	}
	if (!was_connected && connect_next(conn))
		return;
	redis_conn_close(conn);
	conn->setup.events->closed(conn->setup.context, conn, status);
}

static const struct redis_link_events link_events = { on_connected, on_value, on_reply, on_ended };

static void connect_to(struct redis_conn *conn, const struct sockaddr_storage *sockaddr)
{
	conn->link = redis_link_connect(conn->setup.loop, sockaddr, conn->setup.dead_after_ms,
					&link_events, conn);
}

static void fail(struct redis_conn *conn, int status)
{
	conn->link = redis_link_fail(conn->setup.loop, status, &link_events, conn);
}

static bool connect_next(struct redis_conn *conn)
{
	struct sockaddr_storage sockaddr;

	if (!conn->lookup || !redis_lookup_next(conn->lookup, &sockaddr))
		return false;
	connect_to(conn, &sockaddr);
	return true;
}

static void on_looked_up(void *context, int status)
{
	struct redis_conn *conn = context;

	if (status < 0 || !connect_next(conn))
		fail(conn, status < 0 ? status : UV_EAI_NONAME);
}

void redis_conn_open(struct redis_conn *conn)
{
	struct sockaddr_storage sockaddr;
	socklen_t length;

	redis_conn_close(conn);
	conn->failure = 0;
	conn->replies = 0;
	if (conn->lookup)
		redis_lookup_start(conn->lookup);
	else if (address_to_sockaddr(&conn->setup.address, &sockaddr, &length) == 0)
		connect_to(conn, &sockaddr);
	else
		fail(conn, -EINVAL);
}

bool redis_conn_is_connected(const struct redis_conn *conn)
{
	return conn->connected;
}

const char *redis_conn_peer(const struct redis_conn *conn)
{
	return conn->peer;
}

void redis_conn_send(struct redis_conn *conn, const char *bytes, size_t length)
{
	if (conn->connected) {
		redis_link_write(conn->link, bytes, length);
		return;
	}
	conn->waiting = mem_resize(conn->waiting, conn->waiting_length + length, 1);
	memcpy(conn->waiting + conn->waiting_length, bytes, length);
	conn->waiting_length += length;
}

static void format_auth(const struct redis_conn *conn, char **bytes, size_t *length)
{
	const char *argv[3] = { "AUTH" };
	int argc = 1;

	if (conn->setup.username)
		argv[argc++] = conn->setup.username;
	argv[argc++] = conn->setup.password;
	redis_format(bytes, length, argc, argv);
}

unsigned int redis_conn_login(struct redis_conn *conn)
{
	const char *name[3] = { "CLIENT", "SETNAME", conn->setup.client_name };
	unsigned int replies = 0;
	char *bytes = NULL;
	size_t length = 0;

	if (conn->setup.password) {
		format_auth(conn, &bytes, &length);
		replies++;
	}
	if (conn->setup.client_name) {
		redis_format(&bytes, &length, 3, name);
		replies++;
	}
	if (bytes) {
		redis_conn_send(conn, bytes, length);
		explicit_bzero(bytes, length);
	}
	free(bytes);
	return replies;
}

void redis_format(char **bytes, size_t *length, int argc, const char *const *argv)
{
	const char **arguments;
	char *command = NULL;
	long long size;

	/* hiredis changes neither the strings nor the array, but does not promise it. */
	memcpy(&arguments, &argv, sizeof(arguments));
	size = redisFormatCommandArgv(&command, argc, arguments, NULL);
	if (size < 0)
		abort();
	*bytes = mem_resize(*bytes, *length + (size_t)size, 1);
	memcpy(*bytes + *length, command, (size_t)size);
	*length += (size_t)size;
	explicit_bzero(command, (size_t)size);
	redisFreeCommand(command);
}
