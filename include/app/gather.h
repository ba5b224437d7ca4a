/* What the configured HAProxies show of themselves, asked once; nothing there is changed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "config/settings.h"
#include "core/shown.h"

struct gathered_backend {
	bool present;
	char algorithm[32]; /* of balancing; empty: not shown */
};

struct gathered_haproxy {
	char name[ADDRESS_TEXT_SIZE]; /* a path, or address:port */
	int status;		      /* 0, or negative errno: then what it did not tell is empty */
	char level[16];		      /* of its socket */
	bool is_worker;	  /* of a master process, which leaves old workers at a reload */
	int64_t released; /* as 20260630; -1 not known */
	struct shown shown;
	struct gathered_backend *backends; /* one a pool of the settings */
};

/** One a HAProxy of the settings, after running the loop until each has answered or had its time.
 */
struct gathered_haproxy *gather_run(uv_loop_t *loop, const struct settings *settings);

void gather_free(struct gathered_haproxy *haproxies, const struct settings *settings);
