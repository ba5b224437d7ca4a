/*
 * The ring of slots. An entry that is due more than one turn ahead waits in its slot until its tick
 * has come. Owns no entry; the bits of used slots are only hints, cleared when found wrong.
 */
#include "io/wheel_ring.h"

#include <stddef.h>

static void list_init(struct wheel_entry *head)
{
	head->next = head;
	head->previous = head;
}

static bool list_is_empty(const struct wheel_entry *head)
{
	return head->next == head;
}

static void list_add(struct wheel_entry *head, struct wheel_entry *entry)
{
	entry->next = head;
	entry->previous = head->previous;
	head->previous->next = entry;
	head->previous = entry;
}

void wheel_ring_init(struct wheel_ring *ring, int64_t now_tick)
{
	*ring = (struct wheel_ring){ .done_tick = now_tick };
	list_init(&ring->ready);
	for (size_t i = 0; i < WHEEL_RING_SLOTS; i++)
		list_init(&ring->slots[i]);
}

void wheel_ring_remove(struct wheel_entry *entry)
{
	if (!entry->next)
		return;
	entry->next->previous = entry->previous;
	entry->previous->next = entry->next;
	entry->next = NULL;
	entry->previous = NULL;
}

void wheel_ring_put(struct wheel_ring *ring, struct wheel_entry *entry, int64_t due_tick)
{
	uint64_t slot = (uint64_t)due_tick % WHEEL_RING_SLOTS;

	wheel_ring_remove(entry);
	entry->due_tick = due_tick;
	list_add(&ring->slots[slot], entry);
	ring->used[slot / 64] |= UINT64_C(1) << slot % 64;
	if (due_tick <= ring->done_tick)
		ring->done_tick = due_tick - 1;
}

static void take_due(struct wheel_ring *ring, struct wheel_entry *head, int64_t now_tick)
{
	struct wheel_entry *entry, *next;

	for (entry = head->next; entry != head; entry = next) {
		next = entry->next;
		if (entry->due_tick > now_tick)
			continue;
		wheel_ring_remove(entry);
		list_add(&ring->ready, entry);
	}
}

void wheel_ring_turn(struct wheel_ring *ring, int64_t now_tick)
{
	int64_t tick = ring->done_tick + 1;

	/* One whole turn sees every slot, however long ago the last look was. */
	if (now_tick - tick >= WHEEL_RING_SLOTS)
		tick = now_tick - WHEEL_RING_SLOTS + 1;
	for (; tick <= now_tick; tick++)
		take_due(ring, &ring->slots[(uint64_t)tick % WHEEL_RING_SLOTS], now_tick);
	if (now_tick > ring->done_tick)
		ring->done_tick = now_tick;
}

struct wheel_entry *wheel_ring_pop(struct wheel_ring *ring)
{
	struct wheel_entry *entry = ring->ready.next;

	if (entry == &ring->ready)
		return NULL;
	wheel_ring_remove(entry);
	return entry;
}

/* Whether the slot of @tick holds anything; corrects the hint. */
static bool slot_is_used(struct wheel_ring *ring, int64_t tick)
{
	uint64_t slot = (uint64_t)tick % WHEEL_RING_SLOTS;
	uint64_t bit = UINT64_C(1) << slot % 64;

	if (!(ring->used[slot / 64] & bit))
		return false;
	if (!list_is_empty(&ring->slots[slot]))
		return true;
	ring->used[slot / 64] &= ~bit;
	return false;
}

int64_t wheel_ring_next_tick(struct wheel_ring *ring)
{
	int64_t first = ring->done_tick + 1;

	for (int64_t tick = first; tick < first + WHEEL_RING_SLOTS; tick++) {
		/* Whole words of empty slots are skipped. */
		if ((uint64_t)tick % 64 == 0 && !ring->used[(uint64_t)tick % WHEEL_RING_SLOTS / 64])
			tick += 63;
		else if (slot_is_used(ring, tick))
			return tick;
	}
	return WHEEL_NEVER;
}
