/* The log's lines on standard error: one write(2) a line, so that lines of several processes do not
 * mix, and never one that would wait for a reader. It owns the only global of the program, its own
 * settings and how much was lost, and knows no caller. */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE_SIZE 2048

static struct {
	enum log_level level;
	bool journal;
	unsigned long lost; /* lines since the last one that was written */
} settings = { .level = LOG_LEVEL_INFO };

void log_init(enum log_level level, bool journal)
{
	settings.level = level;
	settings.journal = journal;
}

bool log_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char wanted[64];

	if (!stream || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(wanted, sizeof(wanted), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)status.st_ino);
	return strcmp(stream, wanted) == 0;
}

/* The date in UTC, so that the logs of several hosts can be laid side by side. */
static void add_time(struct text *line)
{
	int64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	char date[32];
	struct tm parts;

	if (!gmtime_r(&seconds, &parts))
		return;
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	text_addf(line, "%s.%03dZ ", date, (int)(now_ms % 1000));
}

/* The length of the character at @s if it is valid UTF-8 and prints, otherwise 0. The leading byte
 * tells the length and the least second byte; beyond its range are surrogates, characters that do
 * not exist, and C1's control characters. */
static size_t printable_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t length;
	} forms[] = {
		{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (*s < 0x80)
		return *s >= ' ' && *s != 0x7f;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t length = 2;

		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		if (s[1] < forms[i].second_min || s[1] > forms[i].second_max)
			return 0;
		while (length < forms[i].length && (s[length] & 0xc0) == 0x80)
			length++;
		return length == forms[i].length ? length : 0;
	}
	return 0;
}

static void replace_unprintable(char *s)
{
	while (*s) {
		size_t length = printable_length((const unsigned char *)s);

		if (length == 0)
			*s = '?';
		s += length ? length : 1;
	}
}

const char *log_quotable(char *data, size_t size, const char *s, size_t length)
{
	size_t copied = length < size ? length : size - 1;

	for (size_t i = 0; i < copied; i++) {
		data[i] = s[i];
		if (s[i] == '\0')
			data[i] = '?';
		else if (s[i] == '"')
			data[i] = '\'';
	}
	data[copied] = '\0';
	return data;
}

static void write_line(enum log_level level, const char *message)
{
	char data[LINE_SIZE];
	struct text line;

	/* One byte stays free for the newline, however long the message is. */
	text_init(&line, data, sizeof(data) - 1);
	if (settings.journal)
		text_addf(&line, "<%d>", (int)level);
	else
		add_time(&line);
	text_add(&line, message);
	/* As late as this: a character may have been cut in two. */
	replace_unprintable(data);
	data[line.length++] = '\n';
	if (write(STDERR_FILENO, data, line.length) < 0)
		return; /* nobody to tell */
}

/*
 * A full pipe that nobody reads must not stop the decision. Asked each time, and not made
 * non-blocking: the open file is shared with whoever else writes there. A pipe that can be written
 * has room for a whole page, a socket for several lines.
 */
static bool would_wait(void)
{
	struct pollfd standard_error = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&standard_error, 1, 0) == 0;
}

static void write_lost(void)
{
	char message[64];

	snprintf(message, sizeof(message), "the log was not read: lines lost=%lu", settings.lost);
	settings.lost = 0;
	write_line(LOG_LEVEL_WARNING, message);
}

void log_write(enum log_level level, const char *format, ...)
{
	char message[LINE_SIZE];
	va_list arguments;

	if (level > settings.level)
		return;
	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	if (settings.lost && !would_wait())
		write_lost();
	if (would_wait())
		settings.lost++;
	else
		write_line(level, message);
}

bool log_limit_pass(struct log_limit *limit, long long now_ms, unsigned int burst,
		    long long window_ms, unsigned int *ret_suppressed)
{
	bool begins = now_ms - limit->window_start_ms >= window_ms;

	if (!begins && limit->passed >= burst) {
		limit->suppressed++;
		return false;
	}
	*ret_suppressed = begins ? limit->suppressed : 0;
	if (begins)
		*limit = (struct log_limit){ .window_start_ms = now_ms };
	limit->passed++;
	return true;
}
