/* The picture's small helpers. */
#include "core/picture.h"

struct verdict *picture_at(const struct picture *picture, size_t pool, size_t node)
{
	return &picture->verdicts[pool * picture->nodes + node];
}

const char *verdict_state_name(enum verdict_state state)
{
	static const char *const names[] = {
		[VERDICT_UNKNOWN] = "unknown", [VERDICT_UP] = "up",	[VERDICT_DRAIN] = "drain",
		[VERDICT_STANDBY] = "standby", [VERDICT_DOWN] = "down",
	};

	return names[state];
}

bool verdict_equal(const struct verdict *a, const struct verdict *b)
{
	return a->state == b->state && a->reason == b->reason && a->weight == b->weight &&
	       a->held == b->held && a->dead == b->dead && a->peer == b->peer;
}
