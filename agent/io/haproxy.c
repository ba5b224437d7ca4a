/*
 * Batches of runtime commands, one short connection each. Owns the queue, the connection under way,
 * its deadline and the buffer of the output. Connecting and writing happen within haproxy_send()
 * when nothing is under way; all replies come from the loop. It refuses to know what commands mean,
 * and tries nothing twice: its owner compares and sends anew.
 */
#include "io/haproxy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/haproxy_socket.h"

#define OUTPUT_START	   (16 * 1024)
#define OUTPUT_LIMIT	   (16 * 1024 * 1024)
#define READS_A_TURN	   64
#define FULL_QUEUE_WAIT_MS 5

/* Lives until libuv has let go of its handle. */
struct batch {
	uv_poll_t poll;
	struct haproxy *haproxy;
	struct batch *next;
	haproxy_reply *reply;
	void *context;
	uint64_t timeout_ms;
	int descriptor; /* -1: none yet, or closed */
	int events;	/* that are polled for */
	size_t length, sent;
	char line[]; /* the commands and a newline */
};

struct haproxy {
	uv_timer_t timer;
	uv_loop_t *loop;
	struct address address;
	struct batch *first, **last; /* the first is under way */
	size_t pending;
	uint64_t deadline_ms; /* of the first, in the loop's time */
	int failure;	      /* of the first, before it began: told in the next turn */
	char *output;
	size_t output_length, output_size;
};

static void begin_first(struct haproxy *haproxy);

static void on_batch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void batch_drop(struct batch *batch)
{
	if (batch->descriptor < 0) {
		free(batch);
		return;
	}
	uv_close((uv_handle_t *)&batch->poll, on_batch_closed);
	close(batch->descriptor);
	batch->descriptor = -1;
}

static struct batch *take_first(struct haproxy *haproxy)
{
	struct batch *batch = haproxy->first;

	haproxy->first = batch->next;
	if (!haproxy->first)
		haproxy->last = &haproxy->first;
	haproxy->pending--;
	return batch;
}

/* The next batch is written before this one's output is looked at: HAProxy works meanwhile. */
static void end_first(struct haproxy *haproxy, int status)
{
	struct batch *batch = take_first(haproxy);
	haproxy_reply *reply = batch->reply;
	void *context = batch->context;
	const char *output = status == 0 ? haproxy->output : NULL;
	size_t length = status == 0 ? haproxy->output_length : 0;

	batch_drop(batch);
	uv_timer_stop(&haproxy->timer);
	if (haproxy->first)
		begin_first(haproxy);
	reply(context, status, output, length);
}

/* Room for more; false when the output has grown beyond all measure. */
static bool make_room(struct haproxy *haproxy)
{
	size_t size = haproxy->output_size ? haproxy->output_size * 2 : OUTPUT_START;

	if (haproxy->output_length < haproxy->output_size)
		return true;
	/* One byte more, so that an output of just the limit is told from a longer one. */
	if (size > OUTPUT_LIMIT)
		size = OUTPUT_LIMIT + 1;
	if (haproxy->output_length > OUTPUT_LIMIT)
		return false;
	haproxy->output = mem_resize(haproxy->output, size, 1);
	haproxy->output_size = size;
	return true;
}

/* The end of the output. All that HAProxy says ends with a newline; what does not was cut. */
static int check_output(const struct haproxy *haproxy)
{
	size_t length = haproxy->output_length;

	return length > 0 && haproxy->output[length - 1] == '\n' ? 0 : -EPIPE;
}

/* Returns 0 when all is read, -EAGAIN when more is to come, or why it failed. */
static int read_output(struct haproxy *haproxy, int descriptor)
{
	for (int i = 0; i < READS_A_TURN && make_room(haproxy); i++) {
		ssize_t count = recv(descriptor, haproxy->output + haproxy->output_length,
				     haproxy->output_size - haproxy->output_length, 0);

		if (count == 0)
			return check_output(haproxy);
		if (count > 0)
			haproxy->output_length += (size_t)count;
		else if (errno != EINTR)
			return -errno;
	}
	return haproxy->output_length > OUTPUT_LIMIT ? -EMSGSIZE : -EAGAIN;
}

static int write_line(struct batch *batch)
{
	int result;

	if (batch->sent == batch->length)
		return 0;
	result = haproxy_socket_write(batch->descriptor, batch->line, batch->length, &batch->sent);
	/* A master's socket takes more lines until it is told that there are none. */
	if (result == 0)
		(void)shutdown(batch->descriptor, SHUT_WR);
	return result;
}

/* As read_output(). */
static int go_on(struct batch *batch)
{
	int result = write_line(batch);

	return result < 0 ? result : read_output(batch->haproxy, batch->descriptor);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int poll_batch(struct batch *batch)
{
	int events = batch->sent < batch->length ? UV_WRITABLE : UV_READABLE;

	if (events == batch->events)
		return 0;
	batch->events = events;
	return uv_poll_start(&batch->poll, events, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct batch *batch = poll->data;
	int result = go_on(batch);

	(void)status; /* The socket itself says what is wrong with it. */
	(void)events;
	if (result == -EAGAIN) {
		result = poll_batch(batch);
		if (result == 0)
			return;
	}
	end_first(batch->haproxy, result);
}

static int open_batch(struct batch *batch)
{
	int descriptor = haproxy_socket_connect(&batch->haproxy->address);
	int result;

	if (descriptor < 0)
		return descriptor;
	result = uv_poll_init(batch->haproxy->loop, &batch->poll, descriptor);
	if (result < 0) {
		close(descriptor);
		return result;
	}
	batch->poll.data = batch;
	batch->descriptor = descriptor;
	result = write_line(batch);
	return result < 0 && result != -EAGAIN ? result : poll_batch(batch);
}

static void on_timer(uv_timer_t *timer);

/* Connects and writes. What fails is told by the timer, never from within. */
static void open_first(struct haproxy *haproxy)
{
	uint64_t now_ms = uv_now(haproxy->loop), wait_ms = 0;

	haproxy->failure = open_batch(haproxy->first);
	if (haproxy->deadline_ms > now_ms)
		wait_ms = haproxy->deadline_ms - now_ms;
	if (haproxy->failure == -EAGAIN && wait_ms > FULL_QUEUE_WAIT_MS)
		wait_ms = FULL_QUEUE_WAIT_MS;
	else if (haproxy->failure < 0 && haproxy->failure != -EAGAIN)
		wait_ms = 0;
	uv_timer_start(&haproxy->timer, on_timer, wait_ms, 0);
}

static void begin_first(struct haproxy *haproxy)
{
	/* The loop's time can be old here, which would shorten the batch's. */
	uv_update_time(haproxy->loop);
	haproxy->deadline_ms = uv_now(haproxy->loop) + haproxy->first->timeout_ms;
	haproxy->output_length = 0;
	open_first(haproxy);
}

static void on_timer(uv_timer_t *timer)
{
	struct haproxy *haproxy = timer->data;
	bool late = uv_now(haproxy->loop) >= haproxy->deadline_ms;
	int result = haproxy->failure;

	if (result == -EAGAIN && !late) {
		open_first(haproxy);
		return;
	}
	/* Its answer can be waiting, if it was this process that was late. */
	if (result == 0)
		result = go_on(haproxy->first);
	end_first(haproxy, result == -EAGAIN ? -ETIMEDOUT : result);
}

struct haproxy *haproxy_new(uv_loop_t *loop, const struct address *address)
{
	struct haproxy *haproxy = mem_calloc(1, sizeof(*haproxy));

	haproxy->loop = loop;
	haproxy->address = *address;
	haproxy->last = &haproxy->first;
	uv_timer_init(loop, &haproxy->timer);
	haproxy->timer.data = haproxy;
	return haproxy;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct haproxy *haproxy = handle->data;

	free(haproxy->output);
	free(haproxy);
}

void haproxy_free(struct haproxy *haproxy)
{
	if (!haproxy)
		return;
	while (haproxy->first)
		batch_drop(take_first(haproxy));
	/* The output too lives until then: this may be called by a reply. */
	uv_close((uv_handle_t *)&haproxy->timer, on_timer_closed);
}

void haproxy_send(struct haproxy *haproxy, const char *commands, int64_t timeout_ms,
		  haproxy_reply *reply, void *context)
{
	size_t length = strlen(commands);
	struct batch *batch = mem_calloc(1, sizeof(*batch) + length + 1);

	assert(!strchr(commands, '\n'));
	memcpy(batch->line, commands, length);
	batch->line[length] = '\n';
	batch->length = length + 1;
	batch->haproxy = haproxy;
	batch->descriptor = -1;
	batch->reply = reply;
	batch->context = context;
	batch->timeout_ms = timeout_ms > 0 ? (uint64_t)timeout_ms : 0;
	*haproxy->last = batch;
	haproxy->last = &batch->next;
	if (haproxy->pending++ == 0)
		begin_first(haproxy);
}

size_t haproxy_pending(const struct haproxy *haproxy)
{
	return haproxy->pending;
}
