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

static void replace_controls(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	}
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
	replace_controls(message);
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
