/* What no single option can say: names used twice, pools without a shard, addresses in conflict. */
#pragma once

#include "config/places.h"
#include "config/settings.h"

/**
 * Checks @settings as a whole and adds an error for all that does not fit together; what could not
 * be read is skipped. Fills each pool's shard_index.
 */
void check_settings(struct settings *settings, const struct places *places,
		    struct settings_errors *errors);
