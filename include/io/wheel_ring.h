/*
 * The ring of a timing wheel: things that are due at a tick, each in the list of one slot. Adding
 * and removing cost the same whatever their number, and allocate nothing. It has no clock of its
 * own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_RING_SLOTS 1024
#define WHEEL_NEVER	 INT64_MAX

/** Embedded in what is due. Zeroed, it is in no ring. */
struct wheel_entry {
	struct wheel_entry *next, *previous;
	int64_t due_tick;
};

struct wheel_ring {
	struct wheel_entry slots[WHEEL_RING_SLOTS]; /* heads of lists */
	struct wheel_entry ready;		    /* head of those taken out of their slot */
	uint64_t used[WHEEL_RING_SLOTS / 64]; /* a bit for each slot that may hold something */
	int64_t done_tick;		      /* all up to here was looked at */
};

/** Empty, at @now_tick. */
void wheel_ring_init(struct wheel_ring *ring, int64_t now_tick);

/** Puts @entry, which may be in the ring already, at @due_tick. */
void wheel_ring_put(struct wheel_ring *ring, struct wheel_entry *entry, int64_t due_tick);
void wheel_ring_remove(struct wheel_entry *entry);

/** Makes all that is due at @now_tick or earlier ready for wheel_ring_pop. */
void wheel_ring_turn(struct wheel_ring *ring, int64_t now_tick);

/** Takes out one entry that is ready; NULL: none is left. */
struct wheel_entry *wheel_ring_pop(struct wheel_ring *ring);

/** The tick at which to turn it next, or WHEEL_NEVER when it is empty. For what is due further off
 * than a whole turn it may be too early. */
int64_t wheel_ring_next_tick(struct wheel_ring *ring);
