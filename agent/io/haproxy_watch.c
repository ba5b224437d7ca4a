/*
 * Follows a ring of HAProxy's log over a connection of its own. Owns the connection, the pause
 * before the next one, and the search for the one line that matters: a worker that is told to stop
 * keeps the stream open, and its last words are that its proxies stopped. All other lines only mean
 * "look".
 */
#include "io/haproxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/haproxy_socket.h"

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 1000
#define READS_A_TURN 16
#define READ_BYTES   8192
#define COMMAND_SIZE 256
#define STOPPED	     " stopped (cumulated"

/* One connection; lives until libuv has let go of its handle. */
struct stream {
	uv_poll_t poll;
	struct haproxy_watch *watch;
	int descriptor;
	size_t sent;
	size_t matched; /* bytes of STOPPED that were just read */
	uint64_t began_ms;
};

struct haproxy_watch {
	uv_timer_t timer; /* the pause */
	uv_loop_t *loop;
	struct address address;
	struct backoff backoff;
	struct stream *stream; /* NULL: none at the moment */
	haproxy_event *event;
	void *context;
	bool missed; /* lines, since a stream had ended */
	char command[COMMAND_SIZE];
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_stream_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_stream(struct haproxy_watch *watch)
{
	struct stream *stream = watch->stream;

	if (!stream)
		return;
	watch->stream = NULL;
	uv_close((uv_handle_t *)&stream->poll, on_stream_closed);
	close(stream->descriptor);
}

static int open_stream(struct haproxy_watch *watch)
{
	int descriptor = haproxy_socket_connect(&watch->address);
	struct stream *stream;
	int result;

	if (descriptor < 0)
		return descriptor;
	stream = mem_calloc(1, sizeof(*stream));
	result = uv_poll_init(watch->loop, &stream->poll, descriptor);
	if (result < 0) {
		free(stream);
		close(descriptor);
		return result;
	}
	stream->poll.data = stream;
	stream->watch = watch;
	stream->descriptor = descriptor;
	stream->began_ms = uv_now(watch->loop);
	watch->stream = stream;
	return uv_poll_start(&stream->poll, UV_WRITABLE, on_poll);
}

static void on_timer(uv_timer_t *timer)
{
	struct haproxy_watch *watch = timer->data;

	if (open_stream(watch) == 0)
		return;
	drop_stream(watch);
	uv_timer_start(timer, on_timer, (uint64_t)backoff_next_ms(&watch->backoff), 0);
}

/* An attempt that HAProxy never took the command of is no stream that ended. */
static void end_stream(struct haproxy_watch *watch)
{
	bool began = watch->stream->sent > 0;
	uint64_t age_ms = uv_now(watch->loop) - watch->stream->began_ms;

	drop_stream(watch);
	/* One that ends as soon as it has begun (no such ring, no right to it) is not sought each
	 * 50 ms. */
	if (age_ms >= PAUSE_MAX_MS)
		backoff_reset(&watch->backoff);
	uv_timer_start(&watch->timer, on_timer, (uint64_t)backoff_next_ms(&watch->backoff), 0);
	if (!began)
		return;
	watch->missed = true;
	watch->event(watch->context, true);
}

/* True when STOPPED was among the bytes; it may lie across two reads. */
static bool find_stopped(struct stream *stream, const char *bytes, size_t length)
{
	static const char stopped[] = STOPPED;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != stopped[stream->matched])
			stream->matched = 0;
		if (bytes[i] == stopped[stream->matched])
			stream->matched++;
		if (stopped[stream->matched] == '\0')
			return true;
	}
	return false;
}

/* Reads what there is. Returns -EAGAIN, or how the stream ended; *@news: there was something. */
static int read_lines(struct stream *stream, bool *news)
{
	char bytes[READ_BYTES];

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t count = recv(stream->descriptor, bytes, sizeof(bytes), 0);

		if (count == 0)
			return -EPIPE;
		if (count < 0 && errno != EINTR)
			return -errno;
		if (count < 0)
			continue;
		*news = true;
		if (find_stopped(stream, bytes, (size_t)count))
			return -ESHUTDOWN;
	}
	return -EAGAIN;
}

/* What was logged while nobody followed is not told again (-n), and must not be missed either. */
static int begin_stream(struct stream *stream, bool *news)
{
	struct haproxy_watch *watch = stream->watch;
	int result = haproxy_socket_write(stream->descriptor, watch->command,
					  strlen(watch->command), &stream->sent);

	if (result < 0)
		return result;
	*news = watch->missed;
	watch->missed = false;
	result = uv_poll_start(&stream->poll, UV_READABLE, on_poll);
	return result < 0 ? result : -EAGAIN;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct stream *stream = poll->data;
	struct haproxy_watch *watch = stream->watch;
	bool news = false;
	int result;

	(void)status; /* The socket itself says what is wrong with it. */
	(void)events;
	if (stream->sent < strlen(watch->command))
		result = begin_stream(stream, &news);
	else
		result = read_lines(stream, &news);
	if (result != -EAGAIN)
		end_stream(watch);
	else if (news)
		watch->event(watch->context, false);
}

struct haproxy_watch *haproxy_watch_new(uv_loop_t *loop, const struct address *address,
					const char *ring, haproxy_event *event, void *context)
{
	struct haproxy_watch *watch = mem_calloc(1, sizeof(*watch));
	struct text command;

	watch->loop = loop;
	watch->address = *address;
	watch->event = event;
	watch->context = context;
	text_init(&command, watch->command, sizeof(watch->command));
	text_addf(&command, "show events %s -w -n\n", ring);
	backoff_init(&watch->backoff, PAUSE_MIN_MS, PAUSE_MAX_MS, (uintptr_t)watch);
	uv_timer_init(loop, &watch->timer);
	watch->timer.data = watch;
	uv_timer_start(&watch->timer, on_timer, 0, 0);
	return watch;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void haproxy_watch_free(struct haproxy_watch *watch)
{
	if (!watch)
		return;
	drop_stream(watch);
	uv_close((uv_handle_t *)&watch->timer, on_timer_closed);
}
