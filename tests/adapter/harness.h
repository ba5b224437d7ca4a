/*
 * What adapter tests share: a loop that must drain, waiting with a limit, descriptors counted, a
 * real redis-server. What callbacks write to is static in the tests: after a failure the loop is
 * still turned, when the test's function has returned.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct harness {
	uv_loop_t loop;
	uv_timer_t limit;
	bool expired;
	size_t descriptors; /* before the test */
};

/** To be called once at the start of main(): what libuv opens once stays open. */
void harness_start(void);

/** cmocka's setup and teardown. The teardown runs the loop until it is empty, closes it and counts
 * the descriptors: the test fails when something is left. */
int harness_setup(void **state);
int harness_teardown(void **state);

/** Turns the loop once, for at most the rest of the limit. False when the limit has passed. */
void harness_begin_limit(struct harness *harness, int64_t limit_ms);
bool harness_turn(struct harness *harness);
void harness_end_limit(struct harness *harness);

/** Runs the loop until @condition holds; fails the test after @limit_ms, or ten times that under
 * valgrind. */
#define HARNESS_WAIT(harness, condition, limit_ms)                                     \
	do {                                                                           \
		bool harness_holds;                                                    \
                                                                                       \
		harness_begin_limit(harness, limit_ms);                                \
		while (!(harness_holds = (condition)) && harness_turn(harness))        \
			;                                                              \
		harness_end_limit(harness);                                            \
		if (!harness_holds)                                                    \
			fail_msg("not within %d ms: %s", (int)(limit_ms), #condition); \
	} while (0)

/** Runs the loop for @time_ms. */
void harness_run(struct harness *harness, int64_t time_ms);

/** A port on 127.0.0.1 that nobody listens on. */
uint16_t harness_free_port(void);

size_t harness_count_descriptors(void);

/** A redis-server of our own in a temporary folder. */
struct real_redis {
	pid_t pid;
	uint16_t port;
	char folder[64];
	char socket[96];
};

/** Starts one and waits until it answers; @options: further arguments, ended by NULL, may be NULL.
 */
void real_redis_start(struct real_redis *redis, const char *const *options);
void real_redis_stop(struct real_redis *redis);

/** Sends one command and waits for its reply, over a connection of its own. */
void real_redis_do(const struct real_redis *redis, const char *command);

/** Standard error in a file, so that the log can be looked into. */
struct caught_log {
	int saved, file;
};

void caught_log_start(struct caught_log *log);

/** How often @words were logged so far. */
size_t caught_log_count(const struct caught_log *log, const char *words);
void caught_log_stop(struct caught_log *log);
