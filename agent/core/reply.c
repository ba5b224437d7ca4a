/*
 * Error replies of Redis and Valkey, told apart by their first word. Which words exist, and what
 * they mean for a node that only watches, was read in Redis' sources (src/server.c,
 * createSharedObjects).
 */
#include "core/reply.h"

#include <string.h>

#include "base/text.h"

struct reply_word {
	const char *word;
	enum reply_class class;
};

static const struct reply_word words[] = {
	{ "BUSY", REPLY_BUSY },
	{ "NOAUTH", REPLY_NO_ACCESS },
	{ "WRONGPASS", REPLY_NO_ACCESS },
	{ "NOPERM", REPLY_NO_ACCESS },
	{ "DENIED", REPLY_NO_ACCESS },
	{ "LOADING", REPLY_LOADING },
	{ "MASTERDOWN", REPLY_MASTERDOWN },
};

static bool starts_with(const char *s, size_t length, const char *start)
{
	return length >= strlen(start) && memcmp(s, start, strlen(start)) == 0;
}

enum reply_class reply_classify_error(const char *error, size_t length)
{
	const char *space = memchr(error, ' ', length);
	size_t word = space ? (size_t)(space - error) : length;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_equal(error, word, words[i].word))
			return words[i].class;
	if (starts_with(error, length, "ERR unknown command"))
		return REPLY_UNKNOWN_COMMAND;
	if (starts_with(error, length, "ERR max number of clients"))
		return REPLY_NO_ACCESS;
	return REPLY_OTHER_ERROR;
}
