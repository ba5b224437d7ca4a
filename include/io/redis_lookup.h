/*
 * The addresses of a host name. A look-up that takes longer than anybody waits goes on, and serves
 * who asks next; an address that hung comes last the next time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

struct redis_lookup;

/** 0, or negative errno or UV_EAI_*: there is no address. */
typedef void redis_lookup_done(void *context, int status);

/** Nothing is looked up yet. @host is copied. */
struct redis_lookup *redis_lookup_new(uv_loop_t *loop, const char *host, uint16_t port,
				      redis_lookup_done *done, void *context);

/** Without a call of done; the memory goes when libuv has let go of it. NULL is fine. */
void redis_lookup_free(struct redis_lookup *lookup);

/** Looks up anew, unless a look-up is under way or has ended since it was last waited for. Calls
 * done once, perhaps before this returns. */
void redis_lookup_start(struct redis_lookup *lookup);

/** done will not be called, until redis_lookup_start. */
void redis_lookup_stop(struct redis_lookup *lookup);

/** The next address to try; false: all were given. Each is given once, beginning after the one that
 * hung. */
bool redis_lookup_next(struct redis_lookup *lookup, struct sockaddr_storage *ret_sockaddr);

/** The address given last neither connected nor failed in time. */
void redis_lookup_note_hung(struct redis_lookup *lookup);
