/*
 * Messages to the service manager (sd_notify(3)). Where there is no NOTIFY_SOCKET they go nowhere;
 * one that cannot be delivered changes nothing here, for the manager has time-outs of its own.
 */
#include "io/service.h"

#include <systemd/sd-daemon.h>

void service_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

int64_t service_watchdog_ms(void)
{
	uint64_t limit_us;

	if (sd_watchdog_enabled(0, &limit_us) <= 0)
		return 0;
	return limit_us >= 2000 ? (int64_t)(limit_us / 2000) : 1;
}

void service_feed_watchdog(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
