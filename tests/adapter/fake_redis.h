/* A fake Redis on the test's own loop: it answers by a script, and can stall, cut, trickle and lie.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum fake_command { FAKE_OTHER, FAKE_AUTH, FAKE_INFO, FAKE_REPLICATION, FAKE_PING, FAKE_COMMANDS };

struct fake_client;

struct fake_redis {
	uv_loop_t *loop;
	uv_stream_t *listener; /* NULL: refuses */
	uint16_t port;
	struct fake_client *clients;
	/* The script; may be changed at any time. */
	const char *replies[FAKE_COMMANDS]; /* in RESP; NULL: none */
	const char *greeting;		    /* said when a client comes */
	const char *extra;		    /* said after the answer to each PING */
	bool close_at_once;		    /* after the greeting */
	bool close_after_ping;		    /* after the answer to it */
	bool reset;			    /* closing is done with an RST */
	bool hold;			    /* answers wait for fake_redis_release() */
	bool trickle;			    /* one byte each millisecond */
	size_t cut_after;		    /* so many bytes, then closed; 0: never */
	/* What was seen. */
	size_t connections, seen[FAKE_COMMANDS];
};

/** On a free port of 127.0.0.1, or of ::1 if @ip is that. Answers as a master. */
void fake_redis_start(struct fake_redis *fake, uv_loop_t *loop, const char *ip);

/** The listener goes away, the clients stay. */
void fake_redis_stop_listening(struct fake_redis *fake);

/** Says @bytes to all clients. */
void fake_redis_say(struct fake_redis *fake, const char *bytes);

/** Says what was held, and holds no more. */
void fake_redis_release(struct fake_redis *fake);

/** Closes all clients. */
void fake_redis_hang_up(struct fake_redis *fake);

/** Everything; the handles close in the loop's next turns. */
void fake_redis_done(struct fake_redis *fake);
