/*
 * Names become addresses in libuv's threads, which cannot be called off once they ask a resolver.
 * Owns the request and its result. It knows no connection: which address hung, it is told.
 */
#include "io/redis_lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Lives until libuv has let go of it, which can be longer than the look-up. */
struct request {
	uv_getaddrinfo_t uv;
	struct redis_lookup *lookup; /* NULL: nobody waits for it */
};

struct redis_lookup {
	uv_loop_t *loop;
	char *host;
	in_port_t port;
	redis_lookup_done *done;
	void *context;
	bool waited_for; /* done is to be called */
	struct request *request;
	struct addrinfo *found; /* not given to anybody yet, or being given */
	const struct addrinfo *first, *given;
	struct sockaddr_storage hung; /* AF_UNSPEC: none has */
};

struct redis_lookup *redis_lookup_new(uv_loop_t *loop, const char *host, uint16_t port,
				      redis_lookup_done *done, void *context)
{
	struct redis_lookup *lookup = mem_calloc(1, sizeof(*lookup));

	lookup->loop = loop;
	lookup->host = mem_strdup(host);
	lookup->port = htons(port);
	lookup->done = done;
	lookup->context = context;
	return lookup;
}

static void forget_found(struct redis_lookup *lookup)
{
	uv_freeaddrinfo(lookup->found);
	lookup->found = NULL;
	lookup->first = NULL;
	lookup->given = NULL;
}

void redis_lookup_free(struct redis_lookup *lookup)
{
	if (!lookup)
		return;
	if (lookup->request) {
		lookup->request->lookup = NULL;
		(void)uv_cancel((uv_req_t *)&lookup->request->uv);
	}
	forget_found(lookup);
	free(lookup->host);
	free(lookup);
}

/* What it found is for one who waits; a failure is of no use to one who comes later. */
static void finish(struct redis_lookup *lookup, int status)
{
	if (!lookup->waited_for)
		return;
	lookup->waited_for = false;
	lookup->done(lookup->context, status);
}

static void on_looked_up(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
	struct request *request = uv->data;
	struct redis_lookup *lookup = request->lookup;

	free(request);
	if (!lookup) {
		uv_freeaddrinfo(found);
		return;
	}
	lookup->request = NULL;
	lookup->found = found;
	finish(lookup, status == 0 && !found ? UV_EAI_NONAME : status);
}

static void ask(struct redis_lookup *lookup)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct request *request = mem_calloc(1, sizeof(*request));
	int result;

	request->lookup = lookup;
	request->uv.data = request;
	lookup->request = request;
	result = uv_getaddrinfo(lookup->loop, &request->uv, on_looked_up, lookup->host, NULL,
				&hints);
	if (result == 0)
		return;
	lookup->request = NULL;
	free(request);
	finish(lookup, result);
}

void redis_lookup_start(struct redis_lookup *lookup)
{
	lookup->waited_for = true;
	if (lookup->found && !lookup->first)
		finish(lookup, 0);
	else if (!lookup->request)
		ask(lookup);
}

/* Addresses of which one was given belong to the attempt that ends here. */
void redis_lookup_stop(struct redis_lookup *lookup)
{
	lookup->waited_for = false;
	if (lookup->first)
		forget_found(lookup);
}

static struct sockaddr_storage to_sockaddr(const struct redis_lookup *lookup,
					   const struct addrinfo *entry)
{
	struct sockaddr_storage sockaddr = { 0 };

	memcpy(&sockaddr, entry->ai_addr, entry->ai_addrlen);
	if (sockaddr.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&sockaddr)->sin6_port = lookup->port;
	else
		((struct sockaddr_in *)&sockaddr)->sin_port = lookup->port;
	return sockaddr;
}

/* Round the list. */
static const struct addrinfo *next_of(const struct redis_lookup *lookup,
				      const struct addrinfo *entry)
{
	return entry->ai_next ? entry->ai_next : lookup->found;
}

static const struct addrinfo *choose_first(const struct redis_lookup *lookup)
{
	const struct addrinfo *entry;

	for (entry = lookup->found; entry; entry = entry->ai_next) {
		struct sockaddr_storage sockaddr = to_sockaddr(lookup, entry);

		if (memcmp(&sockaddr, &lookup->hung, sizeof(sockaddr)) == 0)
			return next_of(lookup, entry);
	}
	return lookup->found;
}

bool redis_lookup_next(struct redis_lookup *lookup, struct sockaddr_storage *ret_sockaddr)
{
	const struct addrinfo *entry;

	if (!lookup->found)
		return false;
	if (!lookup->first)
		entry = lookup->first = choose_first(lookup);
	else
		entry = next_of(lookup, lookup->given);
	if (lookup->given && entry == lookup->first)
		return false;
	lookup->given = entry;
	*ret_sockaddr = to_sockaddr(lookup, entry);
	return true;
}

void redis_lookup_note_hung(struct redis_lookup *lookup)
{
	if (lookup->given)
		lookup->hung = to_sockaddr(lookup, lookup->given);
}
