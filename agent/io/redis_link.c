/*
 * One connection attempt on the heap. Its owner lets go of it at any time, also from within an
 * event; what libuv still holds of it is freed in the last close callback. Owns the handle, the
 * requests under way and the reader. It refuses to know names, passwords and second tries.
 */
#include "io/redis_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "io/redis_reader.h"

#define READ_BYTES (16 * 1024)

struct redis_link {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	uv_connect_t connecting;
	struct redis_reader *reader;
	const struct redis_link_events *events; /* NULL: dropped, or over */
	void *context;
	int status; /* how it failed before it began */
};

struct link_write {
	uv_write_t request;
	char bytes[];
};

static void on_closed(uv_handle_t *handle)
{
	struct redis_link *link = handle->data;

	/* Only a link that failed before it began still has events here. */
	if (link->events)
		link->events->ended(link->context, link->status);
	redis_reader_free(link->reader);
	free(link);
}

void redis_link_drop(struct redis_link *link)
{
	link->events = NULL;
	if (!uv_is_closing(&link->uv.handle))
		uv_close(&link->uv.handle, on_closed);
}

static void end(struct redis_link *link, int status)
{
	const struct redis_link_events *events = link->events;
	void *context = link->context;

	if (!events)
		return;
	redis_link_drop(link);
	events->ended(context, status);
}

static void fail_later(struct redis_link *link, int status)
{
	link->status = status;
	uv_close(&link->uv.handle, on_closed);
}

/* True while the link is wanted. */
static bool on_value(void *context, const struct redis_value *value)
{
	struct redis_link *link = context;

	link->events->value(link->context, value);
	return link->events != NULL;
}

static bool on_reply(void *context)
{
	struct redis_link *link = context;

	link->events->reply(link->context);
	return link->events != NULL;
}

/* One buffer for all links of a loop's thread: the reader copies from it before the next read. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	static _Thread_local char bytes[READ_BYTES];

	(void)handle;
	(void)suggested;
	*ret_buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct redis_link *link = stream->data;
	int result;

	if (length < 0) {
		end(link, (int)length);
		return;
	}
	result = redis_reader_feed(link->reader, buffer->base, (size_t)length);
	if (result < 0)
		end(link, result);
}

static void on_connect(uv_connect_t *request, int status)
{
	static const struct redis_reader_events events = { on_value, on_reply };
	struct redis_link *link = request->data;

	if (!link->events)
		return;
	if (status == 0)
		status = uv_read_start(&link->uv.stream, on_alloc, on_read);
	/* The path of a Unix socket that does not exist: nobody listens there. */
	if (status == -ENOENT && link->uv.handle.type == UV_NAMED_PIPE)
		status = -ECONNREFUSED;
	if (status < 0) {
		end(link, status);
		return;
	}
	link->reader = redis_reader_new(&events, link);
	link->events->connected(link->context);
}

static struct redis_link *link_new(uv_loop_t *loop, int family,
				   const struct redis_link_events *events, void *context)
{
	struct redis_link *link = mem_calloc(1, sizeof(*link));

	link->events = events;
	link->context = context;
	/* Neither makes a socket yet, so neither can fail. */
	if (family == AF_UNIX)
		uv_pipe_init(loop, &link->uv.pipe, 0);
	else
		uv_tcp_init(loop, &link->uv.tcp);
	link->uv.handle.data = link;
	link->connecting.data = link;
	return link;
}

/* Unacknowledged bytes end the connection after this, so that a path that has gone dark does. */
static void set_user_timeout(const struct redis_link *link, int64_t dead_after_ms)
{
	unsigned int timeout_ms = dead_after_ms < INT32_MAX ? (unsigned int)dead_after_ms : 0;
	uv_os_fd_t descriptor;

	if (uv_fileno(&link->uv.handle, &descriptor) == 0)
		(void)setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
				 sizeof(timeout_ms));
}

struct redis_link *redis_link_connect(uv_loop_t *loop, const struct sockaddr_storage *sockaddr,
				      int64_t dead_after_ms, const struct redis_link_events *events,
				      void *context)
{
	struct redis_link *link = link_new(loop, sockaddr->ss_family, events, context);
	int result;

	if (sockaddr->ss_family == AF_UNIX) {
		uv_pipe_connect(&link->connecting, &link->uv.pipe,
				((const struct sockaddr_un *)sockaddr)->sun_path, on_connect);
		return link;
	}
	result = uv_tcp_nodelay(&link->uv.tcp, 1);
	if (result == 0)
		result = uv_tcp_connect(&link->connecting, &link->uv.tcp,
					(const struct sockaddr *)sockaddr, on_connect);
	if (result < 0)
		fail_later(link, result);
	else
		set_user_timeout(link, dead_after_ms);
	return link;
}

struct redis_link *redis_link_fail(uv_loop_t *loop, int status,
				   const struct redis_link_events *events, void *context)
{
	struct redis_link *link = link_new(loop, AF_UNSPEC, events, context);

	fail_later(link, status);
	return link;
}

static void on_written(uv_write_t *request, int status)
{
	(void)status; /* A broken stream ends by its read side. */
	free(request->data);
}

static void write_later(struct redis_link *link, const char *bytes, size_t length)
{
	struct link_write *write = mem_calloc(1, sizeof(*write) + length);
	uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned int)length);

	memcpy(write->bytes, bytes, length);
	write->request.data = write;
	if (uv_write(&write->request, &link->uv.stream, &buffer, 1, on_written) < 0)
		free(write);
}

void redis_link_write(struct redis_link *link, const char *bytes, size_t length)
{
	uv_buf_t buffer = { .len = length };
	int written;

	/* uv_try_write() does not change the bytes, but uv_buf_t has no const. */
	memcpy(&buffer.base, &bytes, sizeof(buffer.base));
	written = uv_try_write(&link->uv.stream, &buffer, 1);
	if (written == UV_EAGAIN)
		written = 0;
	if (written >= 0 && (size_t)written < length)
		write_later(link, bytes + written, length - (size_t)written);
}

int redis_link_peer(const struct redis_link *link, struct sockaddr_storage *ret_sockaddr,
		    socklen_t *ret_length)
{
	int length = sizeof(*ret_sockaddr);
	int result;

	if (link->uv.handle.type != UV_TCP)
		return -EAFNOSUPPORT;
	result = uv_tcp_getpeername(&link->uv.tcp, (struct sockaddr *)ret_sockaddr, &length);
	if (result == 0)
		*ret_length = (socklen_t)length;
	return result;
}
