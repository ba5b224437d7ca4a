/* Observations, counted and reacted to. */
#include "watch_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

size_t watch_count(const struct watch *watch)
{
	return watch->answered + watch->refused + watch->missed;
}

static void on_observation(void *context, const struct observation *observation)
{
	struct watch *watch = context;

	watch->last = *observation;
	watch->answered += observation->outcome == OBSERVATION_ANSWERED;
	watch->refused += observation->outcome == OBSERVATION_REFUSED;
	watch->missed += observation->outcome == OBSERVATION_MISSED;
	watch->reconnected += observation->new_connection;
	if (watch->set_interval_ms)
		probe_set_interval(watch->probe, watch->set_interval_ms);
	watch->set_interval_ms = 0;
	if (watch->remove)
		probe_remove(watch->probe);
	if (watch->free)
		prober_free(watch->prober);
}

void watch_add(struct watch *watch, struct prober *prober, const char *address,
	       const char *password, int64_t interval_ms, int64_t timeout_ms)
{
	struct probe_setup setup = {
		.password = password,
		.interval_ms = interval_ms,
		.timeout_ms = timeout_ms,
		.observe = on_observation,
		.context = watch,
	};

	*watch = (struct watch){ .prober = prober };
	assert_int_equal(address_parse(address, &setup.address), 0);
	watch->probe = probe_add(prober, &setup);
	assert_int_equal(watch_count(watch), 0);
}

/* A prober of its own with one probe of 127.0.0.1:@port. */
void watch_start(struct watch *watch, struct harness *harness, uint16_t port, int64_t interval_ms)
{
	struct prober *prober = prober_new(&harness->loop);
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	watch_add(watch, prober, address, NULL, interval_ms, TIMEOUT_MS);
}

void watch_start_with_fake(struct watch *watch, struct fake_redis *fake, struct harness *harness,
			   int64_t interval_ms)
{
	fake_redis_start(fake, &harness->loop, "127.0.0.1");
	watch_start(watch, harness, fake->port, interval_ms);
}
