/* The doctor's walk over nodes, HAProxies, backends and servers. */
#pragma once

#include "app/gather.h"
#include "app/round.h"
#include "core/doctor.h"

/** Something was found; @facts last for the call. */
typedef void examine_found(void *context, const struct doctor_check *check,
			   const struct doctor_facts *facts);

/** @haproxies: one a HAProxy of the round's settings. */
void examine_all(const struct round *round, const struct gathered_haproxy *haproxies,
		 examine_found *found, void *context);
