/* Bytes of a lying server through the reader, as a connection feeds them: in pieces, whose size the
 * first byte says. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "io/redis_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte of every value is looked at, so that the sanitizers see what lies outside. */
static bool on_value(void *context, const struct redis_value *value)
{
	size_t *sum = context;

	if (value->type == REDIS_STRING || value->type == REDIS_STATUS ||
	    value->type == REDIS_ERROR)
		for (size_t i = 0; i < value->length; i++)
			*sum += (unsigned char)value->text[i];
	/* One value in many ends the connection from within. */
	return value->type != REDIS_INTEGER || value->integer != 4242;
}

static bool on_reply(void *context)
{
	size_t *sum = context;

	(*sum)++;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct redis_reader_events events = { on_value, on_reply };
	volatile size_t kept;
	size_t sum = 0, piece, at;
	struct redis_reader *reader;

	if (size < 1)
		return 0;
	piece = data[0] ? data[0] : size;
	reader = redis_reader_new(&events, &sum);
	for (at = 1; at < size; at += piece) {
		size_t length = size - at < piece ? size - at : piece;

		if (redis_reader_feed(reader, (const char *)data + at, length) < 0)
			break;
	}
	redis_reader_free(reader);
	kept = sum;
	(void)kept;
	return 0;
}
