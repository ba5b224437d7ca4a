/*
 * RESP taken apart in place. hiredis finds the values; each is handed on from within the function
 * that hiredis calls to build a reply object, while its text still lies in hiredis' buffer. What
 * hiredis takes for the object is a constant. Knows nothing of commands or of connections.
 */
#include "io/redis_reader.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <hiredis/sds.h>
#include <stdlib.h>

#include "base/mem.h"

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* An empty buffer at most this large, or so many times the bytes that came, is kept: small for
 * thousands of nodes, and not allocated anew for each reply. (hiredis makes twice the room that it
 * needs.) */
#define KEPT_BYTES ((size_t)1024)
#define KEPT_TIMES ((size_t)4)

struct redis_reader {
	redisReader *hiredis;
	const struct redis_reader_events *events;
	void *context;
	bool stopped;
};

static int depth_of(const redisReadTask *task)
{
	int depth = 0;

	for (task = task->parent; task; task = task->parent)
		depth++;
	return depth;
}

/* What stands for a reply object; NULL makes hiredis stop with an error. */
static void *hand_on(const redisReadTask *task, struct redis_value *value)
{
	static char object;
	struct redis_reader *reader = task->privdata;

	value->depth = depth_of(task);
	value->index = value->depth ? task->idx : 0;
	if (!reader->events->value(reader->context, value))
		reader->stopped = true;
	return reader->stopped ? NULL : &object;
}

static void *on_string(const redisReadTask *task, char *text, size_t length)
{
	struct redis_value value = { .type = REDIS_STRING, .text = text, .length = length };

	if (task->type == REDIS_REPLY_ERROR)
		value.type = REDIS_ERROR;
	else if (task->type == REDIS_REPLY_STATUS)
		value.type = REDIS_STATUS;
	return hand_on(task, &value);
}

static void *on_array(const redisReadTask *task, element_count elements)
{
	struct redis_value value = { .type = REDIS_ARRAY, .length = (size_t)elements };

	return hand_on(task, &value);
}

static void *on_integer(const redisReadTask *task, long long integer)
{
	struct redis_value value = { .type = REDIS_INTEGER, .integer = integer };

	return hand_on(task, &value);
}

static void *on_nil(const redisReadTask *task)
{
	struct redis_value value = { .type = REDIS_NIL };

	return hand_on(task, &value);
}

#if HIREDIS_MAJOR >= 1
/* RESP3, which is never asked for: a double is given as its text, a boolean as 0 or 1. */
static void *on_double(const redisReadTask *task, double number, char *text, size_t length)
{
	(void)number;
	return on_string(task, text, length);
}

static void *on_bool(const redisReadTask *task, int truth)
{
	return on_integer(task, truth);
}
#endif

static redisReplyObjectFunctions *functions(void)
{
	/* Not const: hiredis 0.14 does not promise to leave it alone, though it does. */
	static redisReplyObjectFunctions table = {
		.createString = on_string,
		.createArray = on_array,
		.createInteger = on_integer,
		.createNil = on_nil,
#if HIREDIS_MAJOR >= 1
		.createDouble = on_double,
		.createBool = on_bool,
#endif
	};

	return &table;
}

struct redis_reader *redis_reader_new(const struct redis_reader_events *events, void *context)
{
	struct redis_reader *reader = mem_calloc(1, sizeof(*reader));

	reader->events = events;
	reader->context = context;
	reader->hiredis = redisReaderCreateWithFunctions(functions());
	if (!reader->hiredis)
		abort();
	reader->hiredis->privdata = reader;
	return reader;
}

void redis_reader_free(struct redis_reader *reader)
{
	if (!reader)
		return;
	redisReaderFree(reader->hiredis);
	free(reader);
}

static int read_replies(struct redis_reader *reader)
{
	for (;;) {
		void *object = NULL;
		int result = redisReaderGetReply(reader->hiredis, &object);

		if (reader->stopped)
			return -ECANCELED;
		if (result != REDIS_OK)
			return -EPROTO;
		if (!object)
			return 0;
		if (!reader->events->reply(reader->context))
			return -ECANCELED;
	}
}

/* hiredis itself clears away only a whole kilobyte, and only an empty buffer is made smaller. */
static void clear_if_read(redisReader *hiredis)
{
	if (hiredis->pos < hiredis->len)
		return;
	sdsclear(hiredis->buf);
	hiredis->pos = 0;
	hiredis->len = 0;
}

int redis_reader_feed(struct redis_reader *reader, const char *bytes, size_t length)
{
	redisReader *hiredis = reader->hiredis;
	size_t kept = KEPT_TIMES * length;
	int result;

	hiredis->maxbuf = kept > KEPT_BYTES ? kept : KEPT_BYTES;
	if (redisReaderFeed(hiredis, bytes, length) != REDIS_OK)
		return -EPROTO;
	result = read_replies(reader);
	if (result < 0)
		return result;
	if (hiredis->len - hiredis->pos > REDIS_READER_MAX_WAITING)
		return -EMSGSIZE;
	clear_if_read(hiredis);
	return 0;
}
