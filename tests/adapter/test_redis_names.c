/* Names with several addresses, of which some are dark, and resolvers that are slow. The program
 * has a getaddrinfo() of its own, which libuv calls in place of libc's. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_redis.h"
#include "harness.h"
#include "watch_probe.h"

#define DARK_CLIENTS 4

/* What is found next; read in libuv's threads, changed only while none looks up. */
static struct {
	const char *ips[4];
	bool waits; /* for `go` */
	sem_t go;
	atomic_uint asked;
} resolver;

struct found {
	struct addrinfo info;
	struct sockaddr_in address;
};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_found)
{
	struct addrinfo **end = ret_found;

	(void)name;
	(void)service;
	(void)hints;
	atomic_fetch_add(&resolver.asked, 1);
	if (resolver.waits)
		sem_wait(&resolver.go);
	*end = NULL;
	for (size_t i = 0; resolver.ips[i]; i++) {
		struct found *found = mem_calloc(1, sizeof(*found));

		found->address.sin_family = AF_INET;
		inet_pton(AF_INET, resolver.ips[i], &found->address.sin_addr);
		found->info.ai_addr = (struct sockaddr *)&found->address;
		found->info.ai_addrlen = sizeof(found->address);
		*end = &found->info;
		end = &found->info.ai_next;
	}
	return *ret_found ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *found)
{
	while (found) {
		struct addrinfo *next = found->ai_next;

		free(found); /* the first member of struct found */
		found = next;
	}
}

/* An address that answers nothing: a listener whose queue is full. */
struct dark {
	int listener, clients[DARK_CLIENTS];
};

static void dark_start(struct dark *dark, const char *ip, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	const struct sockaddr *any = (const struct sockaddr *)&address;

	inet_pton(AF_INET, ip, &address.sin_addr);
	dark->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(dark->listener, any, sizeof(address)), 0);
	assert_int_equal(listen(dark->listener, 0), 0);
	for (size_t i = 0; i < DARK_CLIENTS; i++) {
		dark->clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(dark->clients[i], any, sizeof(address));
	}
}

static void dark_stop(struct dark *dark)
{
	for (size_t i = 0; i < DARK_CLIENTS; i++)
		close(dark->clients[i]);
	close(dark->listener);
}

static void start(struct harness *harness, struct fake_redis *fake, struct watch *watch,
		  struct prober **ret_prober)
{
	struct prober *prober = prober_new(&harness->loop);
	char address[64];

	resolver.asked = 0;
	fake_redis_start(fake, &harness->loop, "127.0.0.1");
	snprintf(address, sizeof(address), "node.test:%u", fake->port);
	watch_add(watch, prober, address, NULL, 20, TIMEOUT_MS);
	*ret_prober = prober;
}

/* The first addresses take a time-out each, the next one answers, and stays the one. */
static void test_dark_addresses(void **state)
{
	static const char *const lists[][4] = {
		{ "127.0.0.2", "127.0.0.1" },
		{ "127.0.0.2", "127.0.0.3", "127.0.0.1" },
		{ "127.0.0.1", "127.0.0.2" },
	};
	static const size_t missed[] = { 1, 2, 0 };
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	struct prober *prober;
	struct dark dark[2];

	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++) {
		memcpy(resolver.ips, lists[i], sizeof(resolver.ips));
		start(harness, &fake, &watch, &prober);
		dark_start(&dark[0], "127.0.0.2", fake.port);
		dark_start(&dark[1], "127.0.0.3", fake.port);
		HARNESS_WAIT(harness, watch.answered == 1, 2000);
		assert_int_equal(watch.missed, missed[i]);
		fake_redis_hang_up(&fake);
		HARNESS_WAIT(harness, watch.answered == 3, 1000);
		assert_int_equal(watch.missed, missed[i]);
		prober_free(prober);
		fake_redis_done(&fake);
		dark_stop(&dark[0]);
		dark_stop(&dark[1]);
	}
}

/* What refused is passed at once, and only a whole round of refusals is one. */
static void test_refusing_addresses(void **state)
{
	static const char *const list[4] = { "127.0.0.2", "127.0.0.3", "127.0.0.1" };
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	struct prober *prober;

	memcpy(resolver.ips, list, sizeof(resolver.ips));
	start(harness, &fake, &watch, &prober);
	HARNESS_WAIT(harness, watch_count(&watch) == 1, 1000);
	assert_int_equal(watch.answered, 1);
	fake_redis_stop_listening(&fake);
	harness_run(harness, 5);
	fake_redis_hang_up(&fake);
	HARNESS_WAIT(harness, watch.refused == 1, 1000);
	prober_free(prober);
	fake_redis_done(&fake);
}

/* One look-up serves all the attempts that it outlasts. */
static void test_slow_resolver(void **state)
{
	static const char *const list[4] = { "127.0.0.1" };
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	struct prober *prober;

	memcpy(resolver.ips, list, sizeof(resolver.ips));
	resolver.waits = true;
	start(harness, &fake, &watch, &prober);
	HARNESS_WAIT(harness, watch.missed == 3, 2000);
	assert_int_equal(resolver.asked, 1);
	/* It is found while nobody waits for it, and is not lost. */
	sem_post(&resolver.go);
	HARNESS_WAIT(harness, watch.answered == 1, 2000);
	assert_int_equal(resolver.asked, 1);
	prober_free(prober);
	resolver.waits = false;
	fake_redis_done(&fake);
}

/* A look-up under way outlives its probe. */
static void test_gone_in_mid_look_up(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct watch watch;
	struct prober *prober;

	resolver.waits = true;
	start(harness, &fake, &watch, &prober);
	HARNESS_WAIT(harness, watch.missed == 1 && resolver.asked == 1, 2000);
	prober_free(prober);
	harness_run(harness, 10);
	sem_post(&resolver.go);
	fake_redis_done(&fake);
	harness_run(harness, 10);
	resolver.waits = false;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_dark_addresses),
		CASE(test_refusing_addresses),
		CASE(test_slow_resolver),
		CASE(test_gone_in_mid_look_up),
	};

	sem_init(&resolver.go, 0, 0);
	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
