/* The fake's script: each whole command that comes in adds its reply to what the client is to be
 * told; how that is told, the flags say. */
#include "fake_redis.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/mem.h"

#define MASTER "$26\r\nrole:master\r\nother:field\r\n\r\n"

struct fake_client {
	uv_tcp_t tcp;
	uv_timer_t timer; /* trickles */
	struct fake_redis *fake;
	struct fake_client *next;
	char in[8192];
	size_t in_length;
	char *out;
	size_t out_length, out_said;
	bool pinged;
	int open_handles;
};

struct fake_write {
	uv_write_t request;
	char bytes[];
};

static void on_client_closed(uv_handle_t *handle)
{
	struct fake_client *client = handle->data;

	if (--client->open_handles > 0)
		return;
	free(client->out);
	free(client);
}

static void close_client(struct fake_client *client)
{
	struct fake_client **link = &client->fake->clients;

	if (uv_is_closing((uv_handle_t *)&client->tcp))
		return;
	while (*link && *link != client)
		link = &(*link)->next;
	if (*link)
		*link = client->next;
	uv_close((uv_handle_t *)&client->timer, on_client_closed);
	if (!client->fake->reset || uv_tcp_close_reset(&client->tcp, on_client_closed) != 0)
		uv_close((uv_handle_t *)&client->tcp, on_client_closed);
}

static void on_written(uv_write_t *request, int status)
{
	(void)status;
	free(request->data);
}

static void say(struct fake_client *client, const char *bytes, size_t length)
{
	struct fake_write *write;
	uv_buf_t buffer;

	if (length == 0)
		return;
	write = mem_calloc(1, sizeof(*write) + length);
	memcpy(write->bytes, bytes, length);
	buffer = uv_buf_init(write->bytes, (unsigned int)length);
	write->request.data = write;
	if (uv_write(&write->request, (uv_stream_t *)&client->tcp, &buffer, 1, on_written) != 0)
		free(write);
}

static void on_trickle(uv_timer_t *timer)
{
	struct fake_client *client = timer->data;

	if (client->out_said < client->out_length)
		say(client, client->out + client->out_said++, 1);
	else
		uv_timer_stop(timer);
}

static void flush_client(struct fake_client *client)
{
	size_t cut = client->fake->cut_after;
	size_t length = client->out_length - client->out_said;

	if (client->fake->hold)
		return;
	if (client->fake->trickle) {
		uv_timer_start(&client->timer, on_trickle, 1, 1);
		return;
	}
	if (client->pinged && client->fake->close_after_ping)
		cut = client->out_length;
	if (cut && client->out_length >= cut) {
		char *start = client->out + client->out_said;

		/* At once, so that nothing is lost by the closing. */
		uv_buf_t buffer = uv_buf_init(start, (unsigned int)(cut - client->out_said));

		(void)uv_try_write((uv_stream_t *)&client->tcp, &buffer, 1);
		close_client(client);
		return;
	}
	say(client, client->out + client->out_said, length);
	client->out_said = client->out_length;
}

static void add_reply(struct fake_client *client, const char *bytes)
{
	size_t length = bytes ? strlen(bytes) : 0;

	if (!length)
		return;
	client->out = mem_resize(client->out, client->out_length + length, 1);
	memcpy(client->out + client->out_length, bytes, length);
	client->out_length += length;
}

static void obey(struct fake_client *client, const char *name, const char *argument)
{
	struct fake_redis *fake = client->fake;
	enum fake_command command = FAKE_OTHER;

	if (strncmp(name, "AUTH\r", 5) == 0)
		command = FAKE_AUTH;
	else if (strncmp(name, "PING\r", 5) == 0)
		command = FAKE_PING;
	else if (strncmp(name, "INFO\r", 5) == 0 && strncmp(argument, "replication", 11) == 0)
		command = FAKE_REPLICATION;
	else if (strncmp(name, "INFO\r", 5) == 0)
		command = FAKE_INFO;
	fake->seen[command]++;
	add_reply(client, fake->replies[command]);
	if (command == FAKE_PING) {
		add_reply(client, fake->extra);
		client->pinged = true;
	}
}

/* The length of the whole command at the start of the buffer; 0: not all there. */
static size_t read_command(struct fake_client *client)
{
	char *end = client->in + client->in_length, *at = client->in;
	const char *arguments[8] = { "", "" };
	long count = strtol(at + 1, NULL, 10);

	for (long i = 0; i <= count; i++) {
		long length = i ? strtol(at + 1, NULL, 10) : 0;

		at = memchr(at, '\n', (size_t)(end - at));
		if (!at++)
			return 0;
		if (i && i < 8)
			arguments[i - 1] = at;
		at += i ? length + 2 : 0;
		if (at > end || (at == end && i < count))
			return 0;
	}
	obey(client, arguments[0], arguments[1]);
	return (size_t)(at - client->in);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct fake_client *client = handle->data;

	(void)suggested;
	*ret_buffer = uv_buf_init(client->in + client->in_length,
				  (unsigned int)(sizeof(client->in) - 1 - client->in_length));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct fake_client *client = stream->data;
	size_t used;

	(void)buffer;
	if (length < 0) {
		close_client(client);
		return;
	}
	client->in_length += (size_t)length;
	client->in[client->in_length] = '\0';
	while (client->in_length && (used = read_command(client)) > 0) {
		client->in_length -= used;
		memmove(client->in, client->in + used, client->in_length + 1);
	}
	flush_client(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_redis *fake = listener->data;
	struct fake_client *client = mem_calloc(1, sizeof(*client));

	assert_int_equal(status, 0);
	client->fake = fake;
	client->open_handles = 2;
	client->next = fake->clients;
	fake->clients = client;
	uv_tcp_init(fake->loop, &client->tcp);
	uv_timer_init(fake->loop, &client->timer);
	client->tcp.data = client;
	client->timer.data = client;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&client->tcp), 0);
	fake->connections++;
	if (fake->greeting)
		say(client, fake->greeting, strlen(fake->greeting));
	if (fake->close_at_once)
		close_client(client);
	else
		uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read);
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle);
}

void fake_redis_start(struct fake_redis *fake, uv_loop_t *loop, const char *ip)
{
	uv_tcp_t *tcp = mem_calloc(1, sizeof(*tcp));
	struct sockaddr_storage address;
	int length = sizeof(address);

	*fake = (struct fake_redis){ .loop = loop, .listener = (uv_stream_t *)tcp };
	fake->replies[FAKE_OTHER] = "+OK\r\n";
	fake->replies[FAKE_AUTH] = "+OK\r\n";
	fake->replies[FAKE_INFO] = "$0\r\n\r\n";
	fake->replies[FAKE_REPLICATION] = MASTER;
	fake->replies[FAKE_PING] = "+PONG\r\n";
	uv_tcp_init(loop, tcp);
	tcp->data = fake;
	if (strchr(ip, ':'))
		assert_int_equal(uv_ip6_addr(ip, 0, (struct sockaddr_in6 *)&address), 0);
	else
		assert_int_equal(uv_ip4_addr(ip, 0, (struct sockaddr_in *)&address), 0);
	assert_int_equal(uv_tcp_bind(tcp, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen(fake->listener, 512, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &length), 0);
	/* The port stands at the same place for both families. */
	fake->port = ntohs(((struct sockaddr_in *)&address)->sin_port);
}

void fake_redis_stop_listening(struct fake_redis *fake)
{
	if (fake->listener)
		uv_close((uv_handle_t *)fake->listener, on_listener_closed);
	fake->listener = NULL;
}

void fake_redis_say(struct fake_redis *fake, const char *bytes)
{
	for (struct fake_client *client = fake->clients; client; client = client->next)
		say(client, bytes, strlen(bytes));
}

void fake_redis_release(struct fake_redis *fake)
{
	fake->hold = false;
	for (struct fake_client *client = fake->clients; client; client = client->next)
		flush_client(client);
}

void fake_redis_hang_up(struct fake_redis *fake)
{
	while (fake->clients)
		close_client(fake->clients);
}

void fake_redis_done(struct fake_redis *fake)
{
	fake_redis_stop_listening(fake);
	fake_redis_hang_up(fake);
}
