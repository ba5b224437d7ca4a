/*
 * An agent-check server on two loopback listeners and its clients, all in one thread: the loop is
 * turned until what is awaited is there, or a limit is over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "core/answers.h"
#include "io/agent_server.h"

#define LIMIT_MS    3000
#define HOLD_MS	    80
#define MAX_CLIENTS 64

struct agent_fixture {
	uv_loop_t loop;
	uv_timer_t pulse; /* so that no turn of the loop sleeps for long */
	struct answers *answers;
	struct agent_server *server;
	struct sockaddr_storage address, direct; /* listeners: no line, and n2's */
	bool alive;
	size_t descriptors_before;
};

size_t agent_fixture_count_descriptors(void);
void agent_fixture_publish(struct agent_fixture *fixture, enum verdict_state n1,
			   enum verdict_state n2);
void agent_fixture_serve_address(struct agent_fixture *fixture, const char *ip, size_t line,
				 struct sockaddr_storage *ret_address);
struct agent_fixture *agent_fixture_start_with(const char *allow, bool published);
struct agent_fixture *agent_fixture_start(void);
void agent_fixture_finish(struct agent_fixture *fixture);
const struct agent_server_counts *agent_fixture_counts(const struct agent_fixture *fixture);
void agent_fixture_turn(struct agent_fixture *fixture);
void agent_fixture_turn_for(struct agent_fixture *fixture, int64_t duration_ms);
int agent_fixture_dial(const struct sockaddr_storage *address);
void agent_fixture_say(int descriptor, const char *bytes, size_t length);
int agent_fixture_ask(const struct sockaddr_storage *address, const char *text);
void agent_fixture_expect(struct agent_fixture *fixture, int descriptor, const char *expected);
void agent_fixture_await_count(struct agent_fixture *fixture, const uint64_t *count,
			       uint64_t expected);
