/* The service manager's side: readiness, watchdog, stopping. Says nothing where there is none. */
#pragma once

#include <stdint.h>

/** READY=1 with a status line; STOPPING=1. */
void service_ready(const char *status);
void service_stopping(void);

/** How often to feed the watchdog (half of WATCHDOG_USEC), in ms; 0: there is none. */
int64_t service_watchdog_ms(void);
void service_feed_watchdog(void);
