/*
 * The ring of slots. An entry that is due more than one turn ahead waits in its slot until its tick
 * has come. Owns no entry; the bits of used slots are only hints, cleared when found wrong.
 */
#include "io/wheel.h"

#include <stddef.h>

static void ring_init(struct wheel_entry *head)
{
	head->next = head;
	head->previous = head;
}

static bool ring_is_empty(const struct wheel_entry *head)
{
	return head->next == head;
}

static void ring_add(struct wheel_entry *head, struct wheel_entry *entry)
{
	entry->next = head;
	entry->previous = head->previous;
	head->previous->next = entry;
	head->previous = entry;
}

void wheel_init(struct wheel *wheel, int64_t now_tick)
{
	*wheel = (struct wheel){ .done_tick = now_tick };
	ring_init(&wheel->ready);
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		ring_init(&wheel->slots[i]);
}

void wheel_remove(struct wheel_entry *entry)
{
	if (!entry->next)
		return;
	entry->next->previous = entry->previous;
	entry->previous->next = entry->next;
	entry->next = NULL;
	entry->previous = NULL;
}

void wheel_put(struct wheel *wheel, struct wheel_entry *entry, int64_t due_tick)
{
	uint64_t slot = (uint64_t)due_tick % WHEEL_SLOTS;

	wheel_remove(entry);
	entry->due_tick = due_tick;
	ring_add(&wheel->slots[slot], entry);
	wheel->used[slot / 64] |= UINT64_C(1) << slot % 64;
	if (due_tick <= wheel->done_tick)
		wheel->done_tick = due_tick - 1;
}

static void take_due(struct wheel *wheel, struct wheel_entry *head, int64_t now_tick)
{
	struct wheel_entry *entry, *next;

	for (entry = head->next; entry != head; entry = next) {
		next = entry->next;
		if (entry->due_tick > now_tick)
			continue;
		wheel_remove(entry);
		ring_add(&wheel->ready, entry);
	}
}

void wheel_turn(struct wheel *wheel, int64_t now_tick)
{
	int64_t tick = wheel->done_tick + 1;

	/* One whole turn sees every slot, however long ago the last look was. */
	if (now_tick - tick >= WHEEL_SLOTS)
		tick = now_tick - WHEEL_SLOTS + 1;
	for (; tick <= now_tick; tick++)
		take_due(wheel, &wheel->slots[(uint64_t)tick % WHEEL_SLOTS], now_tick);
	if (now_tick > wheel->done_tick)
		wheel->done_tick = now_tick;
}

struct wheel_entry *wheel_pop(struct wheel *wheel)
{
	struct wheel_entry *entry = wheel->ready.next;

	if (entry == &wheel->ready)
		return NULL;
	wheel_remove(entry);
	return entry;
}

/* Whether the slot of @tick holds anything; corrects the hint. */
static bool slot_is_used(struct wheel *wheel, int64_t tick)
{
	uint64_t slot = (uint64_t)tick % WHEEL_SLOTS;
	uint64_t bit = UINT64_C(1) << slot % 64;

	if (!(wheel->used[slot / 64] & bit))
		return false;
	if (!ring_is_empty(&wheel->slots[slot]))
		return true;
	wheel->used[slot / 64] &= ~bit;
	return false;
}

int64_t wheel_next_tick(struct wheel *wheel)
{
	int64_t first = wheel->done_tick + 1;

	for (int64_t tick = first; tick < first + WHEEL_SLOTS; tick++) {
		/* Whole words of empty slots are skipped. */
		if ((uint64_t)tick % 64 == 0 && !wheel->used[(uint64_t)tick % WHEEL_SLOTS / 64])
			tick += 63;
		else if (slot_is_used(wheel, tick))
			return tick;
	}
	return WHEEL_NEVER;
}
