/*
 * What the master's socket tells of the workers before a reload: which there are (`show proc`), and
 * the sessions of one (`@!PID show sess`), which only `@!PID shutdown session ID` ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OLD_SESSION_ID_SIZE   32
#define OLD_SESSION_NAME_SIZE 128

struct old_session {
	char id[OLD_SESSION_ID_SIZE]; /* "0x55d0c0ffee10": safe to put into a command */
	char backend[OLD_SESSION_NAME_SIZE], server[OLD_SESSION_NAME_SIZE];
};

/**
 * Walks over the output of `show proc`: *@cursor begins at its start and is moved on, @end is
 * behind its last byte. False when there are no more old workers.
 */
bool old_workers_next(const char **cursor, const char *end, int64_t *ret_pid);

/** The same over the output of `show sess`: sessions that are on a server. Other lines are passed.
 */
bool old_sessions_next(const char **cursor, const char *end, struct old_session *ret_session);
