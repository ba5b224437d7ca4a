/* The time, read in one place. Durations come from the monotonic clock, dates from the wall clock.
 */
#pragma once

#include <stdint.h>

/** Milliseconds of CLOCK_MONOTONIC: they never jump, and stand still in suspend. */
int64_t clock_mono_ms(void);

/** Milliseconds of CLOCK_BOOTTIME: as above, but going on while the machine is suspended. */
int64_t clock_boot_ms(void);

/** Milliseconds of the wall clock since 1970, UTC. */
int64_t clock_wall_ms(void);
