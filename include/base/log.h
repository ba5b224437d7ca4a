/*
 * The log: one line an event on standard error, as `message key=value …`. Under systemd's journal
 * each line starts with its priority (`<6>`, sd-daemon(3)); elsewhere with the wall-clock time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** The journal's priorities (syslog(3)). */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/** Lines above @level are left out. @journal: standard error goes to the journal (see
 * log_to_journal). */
void log_init(enum log_level level, bool journal);

/** True when JOURNAL_STREAM names the device and inode of standard error (systemd.exec(5)). */
bool log_to_journal(void);

/**
 * Writes one line; control characters and what is no UTF-8, which could come from a peer, are
 * written as '?'. Lines over 2 kB are cut. A log that cannot be written is no error: what standard
 * error does not take at once is lost, and the next line that it takes says how many were.
 */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** What a peer said, @length bytes of any kind, for a value in double quotes: as far as it fits
 * into
 * @data, with single quotes in their place. Returns @data. */
const char *log_quotable(char *data, size_t size, const char *s, size_t length);

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/** Lets at most @burst lines of one kind through in a window of @window_ms, and counts the rest. */
struct log_limit {
	long long window_start_ms;
	unsigned int passed;
	unsigned int suppressed; /* in the window before this line: print it */
};

/** True if a line may be written now; then *ret_suppressed says how many were swallowed since the
 * last. */
bool log_limit_pass(struct log_limit *limit, long long now_ms, unsigned int burst,
		    long long window_ms, unsigned int *ret_suppressed);
