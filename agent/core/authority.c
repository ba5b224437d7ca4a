/*
 * Authority from opinions. The order among them is the config epoch, which a Sentinel gets by a
 * majority vote and sets only after the promoted node confirmed its role (Redis' sentinel.c).
 */
#include "core/authority.h"

static bool counts(const struct opinion *opinion, int64_t now_ms)
{
	return opinion->at_ms && !opinion->tilt && now_ms - opinion->at_ms < AUTHORITY_OPINION_MS;
}

static size_t count_votes(const struct opinion *opinions, size_t count, int node, int64_t epoch,
			  int64_t now_ms)
{
	size_t votes = 0;

	for (size_t i = 0; i < count; i++)
		votes += counts(&opinions[i], now_ms) && opinions[i].node == node &&
			 opinions[i].epoch == epoch;
	return votes;
}

static void add_opinion(struct authority *authority, const struct opinion *opinion)
{
	int64_t old_ms = opinion->at_ms + AUTHORITY_OPINION_MS;

	authority->failover |= opinion->failover_in_progress;
	authority->master_down |= opinion->master_down;
	if (opinion->epoch > authority->epoch)
		authority->epoch = opinion->epoch;
	if (old_ms < authority->next_change_ms)
		authority->next_change_ms = old_ms;
}

struct authority authority_judge(const struct opinion *opinions, size_t count, int64_t now_ms)
{
	struct authority authority = {
		.known = count > 0,
		.all_answer = count > 0,
		.epoch = -1,
		.majority = OPINION_NOBODY,
		.next_change_ms = INT64_MAX,
	};

	for (size_t i = 0; i < count; i++) {
		if (counts(&opinions[i], now_ms))
			add_opinion(&authority, &opinions[i]);
		else
			authority.all_answer = false;
	}
	for (size_t i = 0; i < count; i++) {
		int node = opinions[i].node;

		if (node != OPINION_NOBODY &&
		    2 * count_votes(opinions, count, node, authority.epoch, now_ms) > count)
			authority.majority = node;
	}
	return authority;
}
