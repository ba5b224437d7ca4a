/*
 * Reads the master's lists line by line. Formats as 2.6 prints them; the lines that count are the
 * same in 3.x. Sessions are matched by exact names, so one whose names do not fit is passed over,
 * never cut short.
 */
#include "core/old_workers.h"

#include <string.h>

#include "base/text.h"

struct span {
	const char *start;
	size_t length;
};

/* The line at the cursor, which moves behind it. */
static bool next_line(const char **cursor, const char *end, struct span *ret_line)
{
	const char *newline;

	if (*cursor >= end)
		return false;
	newline = memchr(*cursor, '\n', (size_t)(end - *cursor));
	ret_line->start = *cursor;
	ret_line->length = (size_t)((newline ? newline : end) - *cursor);
	*cursor = newline ? newline + 1 : end;
	return true;
}

/* The word at the span's start, which moves behind it and the blanks that follow. */
static struct span next_word(struct span *rest)
{
	struct span word = { rest->start, 0 };
	size_t used;

	while (word.length < rest->length && word.start[word.length] != ' ')
		word.length++;
	used = word.length;
	while (used < rest->length && rest->start[used] == ' ')
		used++;
	rest->start += used;
	rest->length -= used;
	return word;
}

/* Before the title the cursor may be anywhere, behind it only on the rows below. */
static void skip_title(const char **cursor, const char *end)
{
	const char *at = *cursor;
	struct span line;

	while (next_line(&at, end, &line)) {
		if (text_equal(line.start, line.length, "# old workers"))
			*cursor = at;
	}
}

bool old_workers_next(const char **cursor, const char *end, int64_t *ret_pid)
{
	struct span line, pid, type;
	int64_t value;

	skip_title(cursor, end);
	if (!next_line(cursor, end, &line))
		return false;
	pid = next_word(&line);
	type = next_word(&line);
	if (text_equal(type.start, type.length, "worker") &&
	    text_to_int64(pid.start, pid.length, &value) && value > 0) {
		*ret_pid = value;
		return true;
	}
	*cursor = end;
	return false;
}

/* "0x", hexadecimal digits and a colon: nothing that could carry a second command. */
static bool read_id(struct span word, char ret_id[OLD_SESSION_ID_SIZE])
{
	const char *colon = memchr(word.start, ':', word.length);
	size_t length = colon ? (size_t)(colon - word.start) : 0;
	char id[OLD_SESSION_ID_SIZE];

	if (length < 3 || length >= sizeof(id))
		return false;
	text_copy(id, sizeof(id), word.start, length);
	if (strncmp(id, "0x", 2) != 0 || id[2 + strspn(id + 2, "0123456789abcdefABCDEF")] != '\0')
		return false;
	memcpy(ret_id, id, sizeof(id));
	return true;
}

/* @word is `KEYvalue` for a value that fits. */
static void read_field(struct span word, const char *key, char ret_value[OLD_SESSION_NAME_SIZE])
{
	size_t skip = strlen(key);

	if (word.length < skip || memcmp(word.start, key, skip) != 0 ||
	    word.length - skip >= OLD_SESSION_NAME_SIZE)
		return;
	text_copy(ret_value, OLD_SESSION_NAME_SIZE, word.start + skip, word.length - skip);
}

static bool read_session(struct span line, struct old_session *ret_session)
{
	struct old_session session = { .id = "" };

	if (!read_id(next_word(&line), session.id))
		return false;
	while (line.length > 0) {
		struct span word = next_word(&line);

		read_field(word, "be=", session.backend);
		read_field(word, "srv=", session.server);
	}
	/* No name begins so: `<NONE>`, `<none>`. */
	if (!session.backend[0] || !session.server[0] || session.server[0] == '<')
		return false;
	*ret_session = session;
	return true;
}

bool old_sessions_next(const char **cursor, const char *end, struct old_session *ret_session)
{
	struct span line;

	while (next_line(cursor, end, &line)) {
		if (read_session(line, ret_session))
			return true;
	}
	return false;
}
