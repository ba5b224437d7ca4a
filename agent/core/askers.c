/*
 * Askers of one line, told apart by a number. The longest gap is kept over two half windows, so
 * that a change of the asker's interval is forgotten after ten seconds, and nothing is allocated.
 */
#include "core/askers.h"

#include <stddef.h>

#define LATELY_MS 10000
#define WINDOW_MS (LATELY_MS / 2)

static bool is_live(const struct asker *asker, int64_t now_ms)
{
	return asker->known && now_ms - asker->last_ms <= LATELY_MS;
}

static int32_t bounded_ms(int64_t gap_ms)
{
	return gap_ms < ASKERS_MAX_WAIT_MS ? (int32_t)gap_ms : ASKERS_MAX_WAIT_MS;
}

static void note_gap(struct asker *asker, int64_t now_ms)
{
	int64_t window = now_ms / WINDOW_MS;
	int32_t gap_ms = bounded_ms(now_ms - asker->last_ms);

	if (window != asker->window) {
		asker->gap_ms[1] = window == asker->window + 1 ? asker->gap_ms[0] : 0;
		asker->gap_ms[0] = 0;
		asker->window = window;
	}
	if (gap_ms > asker->gap_ms[0])
		asker->gap_ms[0] = gap_ms;
	asker->last_ms = now_ms;
	asker->repeated = true;
}

void askers_note(struct askers *askers, uint64_t source, int64_t now_ms)
{
	struct asker *vacant = NULL;

	for (size_t i = 0; i < ASKERS_MAX; i++) {
		struct asker *asker = &askers->slots[i];

		if (!is_live(asker, now_ms)) {
			vacant = asker;
		} else if (asker->source == source) {
			note_gap(asker, now_ms);
			return;
		}
	}
	if (!vacant) {
		askers->crowded = true;
		askers->crowded_ms = now_ms;
		return;
	}
	*vacant = (struct asker){
		.source = source, .last_ms = now_ms, .window = now_ms / WINDOW_MS, .known = true
	};
}

/* An asker that is late already is believed to be that slow. */
static int64_t asker_wait_ms(const struct asker *asker, int64_t now_ms)
{
	int32_t wait_ms = bounded_ms(now_ms - asker->last_ms);

	if (!asker->repeated)
		return ASKERS_MAX_WAIT_MS;
	for (size_t i = 0; i < 2; i++) {
		if (asker->gap_ms[i] > wait_ms)
			wait_ms = asker->gap_ms[i];
	}
	return wait_ms > 0 ? wait_ms : 1;
}

int64_t askers_wait_ms(const struct askers *askers, int64_t now_ms)
{
	int64_t longest_ms = 0;

	if (askers->crowded && now_ms - askers->crowded_ms <= LATELY_MS)
		return ASKERS_MAX_WAIT_MS;
	for (size_t i = 0; i < ASKERS_MAX; i++) {
		int64_t wait_ms;

		if (!is_live(&askers->slots[i], now_ms))
			continue;
		wait_ms = asker_wait_ms(&askers->slots[i], now_ms);
		if (wait_ms > longest_ms)
			longest_ms = wait_ms;
	}
	return longest_ms;
}
