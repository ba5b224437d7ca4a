/* A fake runtime socket on the test's own loop: it reads a line, answers by a script and closes; it
 * can stall, cut, trickle, flood and hang up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"

#define FAKE_LINES 32

struct fake_caller;

struct fake_haproxy {
	uv_loop_t *loop;
	uv_stream_t *listener; /* NULL: refuses */
	struct address address;
	char folder[64]; /* of the Unix socket */
	struct fake_caller *callers;
	/* The script; may be changed at any time. */
	const char *reply;  /* to every line */
	size_t flood;	    /* so many bytes in front of it, in lines */
	bool stall;	    /* answers wait for fake_haproxy_release() */
	bool trickle;	    /* one byte each millisecond */
	bool close_unread;  /* hangs up when called */
	bool wait_for_end;  /* answers when the caller has closed its side, as a master's does */
	bool stay;	    /* does not hang up after the answer */
	size_t reset_after; /* so many bytes of the reply, then an RST or a cut; 0: never */
	/* What was seen. */
	size_t connections, lines, most_callers, callers_now;
	char seen[FAKE_LINES][64]; /* the starts of the lines, oldest first */
};

/** On a Unix socket in a folder of its own, or on a free port of 127.0.0.1. */
void fake_haproxy_start_unix(struct fake_haproxy *fake, uv_loop_t *loop);
void fake_haproxy_start_tcp(struct fake_haproxy *fake, uv_loop_t *loop);

/** Answers what waits. */
void fake_haproxy_release(struct fake_haproxy *fake);

/** Says @bytes to all callers. */
void fake_haproxy_say(struct fake_haproxy *fake, const char *bytes);

void fake_haproxy_hang_up(struct fake_haproxy *fake);
void fake_haproxy_stop_listening(struct fake_haproxy *fake);

/** Listens again at the same address. */
void fake_haproxy_listen(struct fake_haproxy *fake);

/** Everything; the handles close in the loop's next turns. */
void fake_haproxy_done(struct fake_haproxy *fake);
