/*
 * A timing wheel: things that are due at a tick, each in one list of a ring of slots. Adding and
 * removing cost the same whatever their number, and allocate nothing. It has no clock of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_SLOTS 1024
#define WHEEL_NEVER INT64_MAX

/** Embedded in what is due. Zeroed, it is in no wheel. */
struct wheel_entry {
	struct wheel_entry *next, *previous;
	int64_t due_tick;
};

struct wheel {
	struct wheel_entry slots[WHEEL_SLOTS]; /* heads of rings */
	struct wheel_entry ready;	       /* head of those taken out of their slot */
	uint64_t used[WHEEL_SLOTS / 64];       /* a bit for each slot that may hold something */
	int64_t done_tick;		       /* all up to here was looked at */
};

/** Empty, at @now_tick. */
void wheel_init(struct wheel *wheel, int64_t now_tick);

/** Puts @entry, which may be in the wheel already, at @due_tick. */
void wheel_put(struct wheel *wheel, struct wheel_entry *entry, int64_t due_tick);
void wheel_remove(struct wheel_entry *entry);

/** Makes all that is due at @now_tick or earlier ready for wheel_pop. */
void wheel_turn(struct wheel *wheel, int64_t now_tick);

/** Takes out one entry that is ready; NULL: none is left. */
struct wheel_entry *wheel_pop(struct wheel *wheel);

/** The tick at which to turn it next, or WHEEL_NEVER when it is empty. For what is due further off
 * than a whole turn it may be too early. */
int64_t wheel_next_tick(struct wheel *wheel);
