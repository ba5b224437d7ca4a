/* Telling the log what the decision says: each change of a verdict, of the master, of an alarm. */
#pragma once

#include <stddef.h>

#include "config/settings.h"
#include "core/shard.h"

/** What was last told of a shard, so that only changes are. */
struct report {
	const struct settings *settings; /* must outlive the report */
	size_t shard;			 /* its index there */
	int incumbent;
	enum reason admitted_by;
	unsigned int alarms;
};

void report_init(struct report *report, const struct settings *settings, size_t shard);

/**
 * Writes a line for each thing that the shard's last evaluation changed. @pools: the settings'
 * index of each of its pools.
 */
void report_changes(struct report *report, const struct shard *shard, const size_t *pools);
