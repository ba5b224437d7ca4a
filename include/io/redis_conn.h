/*
 * A connection to one Redis or Valkey server: look-up, connect, log in, send, take replies apart.
 * libuv carries the bytes, hiredis' formatter and reader speak the protocol. It has no deadline and
 * no policy: how long to wait and when to try again, its owner decides. The process must ignore
 * SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"

struct redis_conn;

enum redis_value_type {
	REDIS_STRING,
	REDIS_STATUS,
	REDIS_ERROR,
	REDIS_INTEGER,
	REDIS_NIL,
	REDIS_ARRAY
};

/**
 * One value of a reply as it is read. Arrays come before their elements, with `length` counting
 * them. `text` points into the read buffer and is valid during the call only; no NUL at its end.
 */
struct redis_value {
	enum redis_value_type type;
	int depth; /* 0: the reply itself; 1: an element of it; … */
	int index; /* among the elements of its array; 0 at depth 0 */
	const char *text;
	size_t length;
	int64_t integer;
};

/** Called in the loop's thread. Each may close or free the connection. */
struct redis_conn_events {
	/** Connected; commands sent before are on their way. */
	void (*connected)(void *context, struct redis_conn *conn);
	/** A value; @reply counts the replies on this connection from 0, login's included. More of
	 * them than commands may come (publications); who expects none must see to it. */
	void (*value)(void *context, struct redis_conn *conn, uint64_t reply,
		      const struct redis_value *value);
	/** Reply @reply is complete. */
	void (*reply)(void *context, struct redis_conn *conn, uint64_t reply);
	/**
	 * It is closed, by the peer or by a failure; not called after redis_conn_close. @status:
	 * negative errno; -ECONNREFUSED only if every address refused (for a Unix socket also
	 * -ENOENT), -ECONNRESET or UV_EOF if it broke, -EPROTO for what is no Redis reply,
	 * -EMSGSIZE for one over 1 MB, UV_EAI_* for a failed look-up.
	 */
	void (*closed)(void *context, struct redis_conn *conn, int status);
};

struct redis_conn_setup {
	uv_loop_t *loop;
	struct address address;
	const char *username;	 /* may be NULL; copied */
	const char *password;	 /* NULL: no AUTH; copied */
	const char *client_name; /* for CLIENT SETNAME; NULL: none; copied */
	const struct redis_conn_events *events;
	void *context;
	int64_t dead_after_ms; /* TCP_USER_TIMEOUT: unacknowledged bytes end the connection after
				  this */
};

/** Not yet connected. Free with redis_conn_free. */
struct redis_conn *redis_conn_new(const struct redis_conn_setup *setup);

/** Closes without a callback; the memory goes when libuv has let go of it. NULL is fine. */
void redis_conn_free(struct redis_conn *conn);

/** Begins to look up and connect, all addresses in turn, last the one that hung when it was closed
 * before; the outcome comes by an event, also when it is immediate. */
void redis_conn_open(struct redis_conn *conn);

/** Ends it without a callback; it may be opened again, and what a look-up under way finds is then
 * used. */
void redis_conn_close(struct redis_conn *conn);

bool redis_conn_is_connected(const struct redis_conn *conn);

/**
 * Sends the bytes of whole commands (see redis_format); before it is connected they wait. The bytes
 * are copied only if the kernel does not take them at once.
 */
void redis_conn_send(struct redis_conn *conn, const char *bytes, size_t length);

/**
 * Sends AUTH and CLIENT SETNAME as the setup says; returns how many replies that will bring (0 to
 * 2). To be sent first on a connection, and again when the server says NOAUTH: a password may have
 * come late.
 */
unsigned int redis_conn_login(struct redis_conn *conn);

/** The numeric address of the peer, "" when not connected or for a Unix socket. */
const char *redis_conn_peer(const struct redis_conn *conn);

/** Appends one command in RESP to a heap string; *bytes may be NULL at first. Length is updated. */
void redis_format(char **bytes, size_t *length, int argc, const char *const *argv);
