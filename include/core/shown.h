/*
 * What one HAProxy shows of itself over its runtime socket: the replies to `show info`, `show
 * servers state` and `show stat BACKEND 4 -1`, read out of one batch's output. Columns are found by
 * name, quoted CSV is understood (HAProxy 3.0 quotes fields with spaces), unknown lines are taken
 * for messages.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHOWN_NAME_SIZE 128
#define SHOWN_TEXT_SIZE 128

/** The agent's mark on a server: agent_health of `show stat`. */
enum shown_agent {
	SHOWN_AGENT_NONE,   /* the column is empty: no agent-check, or a disabled one */
	SHOWN_AGENT_CLOSED, /* 0 */
	SHOWN_AGENT_OPEN,   /* 1 */
};

/** Text is empty, numbers are -1 when not shown. */
struct shown_server {
	char backend[SHOWN_NAME_SIZE], name[SHOWN_NAME_SIZE];
	/* show stat */
	bool in_stat;
	char status[32]; /* "UP", "DOWN (agent)", "no check", "MAINT", … */
	enum shown_agent agent;
	char last_agent[SHOWN_TEXT_SIZE];
	char check_status[32]; /* "L7OK", …; empty: no check */
	int64_t sessions;      /* scur */
	/* show servers state */
	bool in_state;
	char address[SHOWN_NAME_SIZE]; /* "127.0.0.1", "::1"; empty for a Unix socket */
	int64_t port;
	int64_t weight, initial_weight; /* srv_uweight (in `show stat` too: uweight), srv_iweight */
	int64_t admin_state;		/* bits: 1 forced maint … 8 forced drain … */
	int64_t agent_state;		/* srv_agent_state bits: 2 configured, 4 enabled */
};

struct shown {
	char version[32];
	int64_t pid, start_s; /* Start_time_sec; with pid it tells one process from the next */
	bool stopping;
	struct shown_server *servers; /* those of both tables, joined by name; owned */
	size_t count;
	size_t *slots; /* a hash table over them: number + 1, or 0; owned */
	size_t slot_count;
	char message[SHOWN_TEXT_SIZE]; /* the first line that is part of no table: an error or a
					  note */
};

void shown_init(struct shown *shown);
void shown_done(struct shown *shown);

/**
 * Reads a batch's output, @length bytes, no NUL needed; adds to what is known already. The message
 * is that of this output. Pointers to servers that were found before are no longer valid.
 */
void shown_read(struct shown *shown, const char *output, size_t length);

/** The server, or NULL. */
struct shown_server *shown_find(const struct shown *shown, const char *backend, const char *name);

/** It takes traffic: "UP", "UP 1/3", "no check". */
bool shown_is_up(const struct shown_server *server);

/** An operator (or the configuration) has put it into maintenance or drain. */
bool shown_is_maint(const struct shown_server *server);
bool shown_is_drain(const struct shown_server *server);

/** The server line has agent-check, enabled or not. */
bool shown_has_agent(const struct shown_server *server);

/** Its weight in percent of the initial one, rounded; -1 unknown. For people: percentages are cut
 * to whole weights, plan_make compares those. */
int64_t shown_weight_percent(const struct shown_server *server);
