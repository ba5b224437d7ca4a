/* The fake's script: the first line of a caller is answered, then the connection ends; how that is
 * done, the flags say. */
#include "fake_haproxy.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define FLOOD_BYTES 65536

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct fake_caller {
	union stream uv;
	uv_timer_t timer; /* trickles */
	struct fake_haproxy *fake;
	struct fake_caller *next;
	char in[16384];
	size_t in_length;
	const char *reply;
	size_t flooded, said;
	bool asked, ended, answered;
	int open_handles;
};

struct fake_write {
	uv_write_t request;
	struct fake_caller *caller; /* to go on with; NULL: nobody */
	char bytes[];
};

static void go_on(struct fake_caller *caller);

static void on_closed(uv_handle_t *handle)
{
	struct fake_caller *caller = handle->data;

	if (--caller->open_handles == 0)
		free(caller);
}

static void close_caller(struct fake_caller *caller)
{
	struct fake_caller **link = &caller->fake->callers;

	if (uv_is_closing(&caller->uv.handle))
		return;
	while (*link && *link != caller)
		link = &(*link)->next;
	if (*link)
		*link = caller->next;
	caller->fake->callers_now--;
	uv_close((uv_handle_t *)&caller->timer, on_closed);
	if (!caller->fake->reset_after || caller->uv.handle.type != UV_TCP ||
	    uv_tcp_close_reset(&caller->uv.tcp, on_closed) != 0)
		uv_close(&caller->uv.handle, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
	struct fake_write *write = request->data;
	struct fake_caller *caller = write->caller;

	free(write);
	if (!caller || status == UV_ECANCELED)
		return;
	if (status == 0)
		go_on(caller);
	else
		close_caller(caller);
}

static void say(struct fake_caller *caller, const char *bytes, size_t length, bool then_on)
{
	struct fake_write *write = mem_calloc(1, sizeof(*write) + length);
	uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned int)length);

	memcpy(write->bytes, bytes, length);
	write->request.data = write;
	write->caller = then_on ? caller : NULL;
	if (uv_write(&write->request, &caller->uv.stream, &buffer, 1, on_written) != 0)
		free(write);
}

static void flood(struct fake_caller *caller)
{
	static char lines[FLOOD_BYTES];
	size_t length = caller->fake->flood - caller->flooded;

	memset(lines, 'x', sizeof(lines));
	for (size_t i = 99; i < sizeof(lines); i += 100)
		lines[i] = '\n';
	if (length > sizeof(lines))
		length = sizeof(lines);
	caller->flooded += length;
	say(caller, lines, length, true);
}

static void on_trickle(uv_timer_t *timer)
{
	struct fake_caller *caller = timer->data;

	go_on(caller);
}

/* One step of the answer; what comes next, is done when this is written. */
static void go_on(struct fake_caller *caller)
{
	struct fake_haproxy *fake = caller->fake;
	const char *rest = caller->reply + caller->said;
	size_t length = strlen(rest);

	if (uv_is_closing(&caller->uv.handle))
		return;
	if (caller->flooded < fake->flood) {
		flood(caller);
	} else if (fake->reset_after && caller->said >= fake->reset_after) {
		close_caller(caller);
	} else if (length == 0) {
		uv_timer_stop(&caller->timer);
		if (!fake->stay)
			close_caller(caller);
	} else if (fake->trickle) {
		caller->said++;
		say(caller, rest, 1, false);
		uv_timer_start(&caller->timer, on_trickle, 1, 0);
	} else {
		if (fake->reset_after && length > fake->reset_after)
			length = fake->reset_after;
		caller->said += length;
		say(caller, rest, length, true);
	}
}

static void answer(struct fake_caller *caller)
{
	bool ready = caller->fake->wait_for_end ? caller->ended : caller->asked;

	if (!ready || caller->answered || caller->fake->stall)
		return;
	caller->answered = true;
	caller->reply = caller->fake->reply;
	go_on(caller);
}

static void note_line(struct fake_caller *caller, size_t length)
{
	struct fake_haproxy *fake = caller->fake;

	caller->asked = true;
	if (fake->lines < FAKE_LINES)
		snprintf(fake->seen[fake->lines], sizeof(fake->seen[0]), "%.*s", (int)length,
			 caller->in);
	fake->lines++;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct fake_caller *caller = handle->data;

	(void)suggested;
	*ret_buffer = uv_buf_init(caller->in + caller->in_length,
				  (unsigned int)(sizeof(caller->in) - caller->in_length));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct fake_caller *caller = stream->data;
	const char *newline;

	(void)buffer;
	if (length < 0) {
		caller->ended = true;
		/* As HAProxy: the half closed connection is answered all the same. */
		if (length == UV_EOF && caller->asked)
			answer(caller);
		else
			close_caller(caller);
		return;
	}
	caller->in_length += (size_t)length;
	newline = memchr(caller->in, '\n', caller->in_length);
	if (newline && !caller->asked)
		note_line(caller, (size_t)(newline - caller->in));
	answer(caller);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_haproxy *fake = listener->data;
	struct fake_caller *caller = mem_calloc(1, sizeof(*caller));

	assert_int_equal(status, 0);
	caller->fake = fake;
	caller->open_handles = 2;
	caller->next = fake->callers;
	fake->callers = caller;
	fake->connections++;
	if (++fake->callers_now > fake->most_callers)
		fake->most_callers = fake->callers_now;
	if (fake->address.kind == ADDRESS_UNIX)
		uv_pipe_init(fake->loop, &caller->uv.pipe, 0);
	else
		uv_tcp_init(fake->loop, &caller->uv.tcp);
	uv_timer_init(fake->loop, &caller->timer);
	caller->uv.handle.data = caller;
	caller->timer.data = caller;
	assert_int_equal(uv_accept(listener, &caller->uv.stream), 0);
	if (fake->close_unread)
		close_caller(caller);
	else
		uv_read_start(&caller->uv.stream, on_alloc, on_read);
}

static void listen_tcp(struct fake_haproxy *fake, uv_tcp_t *tcp)
{
	struct sockaddr_in address;
	int length = sizeof(address);

	uv_tcp_init(fake->loop, tcp);
	assert_int_equal(uv_ip4_addr("127.0.0.1", fake->address.port, &address), 0);
	assert_int_equal(uv_tcp_bind(tcp, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)tcp, 64, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &length), 0);
	fake->address.port = ntohs(address.sin_port);
}

static void listen_unix(struct fake_haproxy *fake, uv_pipe_t *pipe)
{
	unlink(fake->address.host);
	uv_pipe_init(fake->loop, pipe, 0);
	assert_int_equal(uv_pipe_bind(pipe, fake->address.host), 0);
	assert_int_equal(uv_listen((uv_stream_t *)pipe, 64, on_connection), 0);
}

void fake_haproxy_listen(struct fake_haproxy *fake)
{
	union stream *listener = mem_calloc(1, sizeof(*listener));

	if (fake->address.kind == ADDRESS_UNIX)
		listen_unix(fake, &listener->pipe);
	else
		listen_tcp(fake, &listener->tcp);
	listener->handle.data = fake;
	fake->listener = &listener->stream;
}

void fake_haproxy_start_unix(struct fake_haproxy *fake, uv_loop_t *loop)
{
	*fake = (struct fake_haproxy){ .loop = loop, .reply = "\n" };
	snprintf(fake->folder, sizeof(fake->folder), "/tmp/adapter-runtime-XXXXXX");
	assert_non_null(mkdtemp(fake->folder));
	fake->address.kind = ADDRESS_UNIX;
	snprintf(fake->address.host, sizeof(fake->address.host), "%s/sock", fake->folder);
	fake_haproxy_listen(fake);
}

void fake_haproxy_start_tcp(struct fake_haproxy *fake, uv_loop_t *loop)
{
	*fake = (struct fake_haproxy){ .loop = loop, .reply = "\n" };
	fake->address = (struct address){ .kind = ADDRESS_IP, .host = "127.0.0.1" };
	fake_haproxy_listen(fake);
}

void fake_haproxy_release(struct fake_haproxy *fake)
{
	struct fake_caller *next;

	fake->stall = false;
	for (struct fake_caller *caller = fake->callers; caller; caller = next) {
		next = caller->next;
		answer(caller);
	}
}

void fake_haproxy_say(struct fake_haproxy *fake, const char *bytes)
{
	for (struct fake_caller *caller = fake->callers; caller; caller = caller->next)
		say(caller, bytes, strlen(bytes), false);
}

void fake_haproxy_hang_up(struct fake_haproxy *fake)
{
	while (fake->callers)
		close_caller(fake->callers);
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle);
}

void fake_haproxy_stop_listening(struct fake_haproxy *fake)
{
	if (fake->listener)
		uv_close((uv_handle_t *)fake->listener, on_listener_closed);
	fake->listener = NULL;
}

void fake_haproxy_done(struct fake_haproxy *fake)
{
	fake_haproxy_stop_listening(fake);
	fake_haproxy_hang_up(fake);
	if (fake->address.kind == ADDRESS_UNIX) {
		unlink(fake->address.host);
		rmdir(fake->folder);
	}
}
