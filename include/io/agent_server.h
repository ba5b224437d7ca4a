/*
 * The agent-check server: takes HAProxy's connections, reads the name in `agent-send`, writes the
 * line from the book of answers, closes. A client that says nothing gets the listener's own line,
 * if it has one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"
#include "core/answers.h"

struct agent_server;

struct agent_server_setup {
	uv_loop_t *loop;
	struct answers *answers;     /* must outlive the server */
	const struct network *allow; /* copied; none: everybody */
	size_t allow_count;
	size_t max_clients;    /* slow ones at one time, over all listeners */
	int64_t start_hold_ms; /* how long a query waits for a first verdict */
	bool (*is_alive)(
		void *context); /* answers the reserved query `agent`: does the decision advance? */
	void *context;
};

/** What was counted since the start, for logs and tests. */
struct agent_server_counts {
	uint64_t answered, unknown_name, silent, too_long, too_slow, too_many, not_allowed,
		no_verdict;
};

struct agent_server *agent_server_new(const struct agent_server_setup *setup);
void agent_server_free(struct agent_server *server);

/**
 * Serves a listening, non-blocking socket, and owns it from now on. @line: the book's line for
 * clients that send nothing, or AGENT_SERVER_NO_LINE. Returns 0, or negative errno: the
 * descriptor is then still the caller's.
 */
#define AGENT_SERVER_NO_LINE SIZE_MAX
int agent_server_listen(struct agent_server *server, int descriptor, size_t line)
	__attribute__((warn_unused_result));

/** Answers those who wait for a first verdict. To be called after a publish. */
void agent_server_wake(struct agent_server *server);

const struct agent_server_counts *agent_server_counts(const struct agent_server *server);
