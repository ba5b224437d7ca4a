/*
 * Old workers' sessions, cut through the master's socket: `show proc`, then `@!PID show sess` of
 * each old worker, then `@!PID shutdown session ID` of each session on a closed server.
 */
#include "app/push_old.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/old_workers.h"
#include "io/haproxy.h"

#define TIMEOUT_MS 1000

/* The output of one worker's `show sess` is asked for by its own context. */
struct old_worker {
	struct push_old *old;
	int64_t pid;
};

struct push_old {
	struct haproxy *master;
	push_old_is_closed *is_closed;
	void *context;
	bool unreachable; /* said once */
};

struct push_old *push_old_new(uv_loop_t *loop, const struct address *master,
			      push_old_is_closed *is_closed, void *context)
{
	struct push_old *old = mem_calloc(1, sizeof(*old));

	old->master = haproxy_new(loop, master);
	old->is_closed = is_closed;
	old->context = context;
	return old;
}

void push_old_free(struct push_old *old)
{
	if (!old)
		return;
	haproxy_free(old->master);
	free(old);
}

static void on_cut(void *context, int status, const char *output, size_t length)
{
	(void)context;
	(void)status;
	(void)output;
	(void)length;
}

static void cut(struct push_old *old, int64_t pid, const struct old_session *session)
{
	char command[OLD_SESSION_ID_SIZE + 64];

	log_notice("old worker's session cut pid=%lld server=%s/%s session=%s", (long long)pid,
		   session->backend, session->server, session->id);
	snprintf(command, sizeof(command), "@!%lld shutdown session %s", (long long)pid,
		 session->id);
	haproxy_send(old->master, command, TIMEOUT_MS, on_cut, old);
}

static void on_sessions(void *context, int status, const char *output, size_t length)
{
	struct old_worker *worker = context;
	const char *end = output + length;
	struct old_session session;

	while (status == 0 && old_sessions_next(&output, end, &session))
		if (worker->old->is_closed(worker->old->context, session.backend, session.server))
			cut(worker->old, worker->pid, &session);
	free(worker);
}

static void ask_worker(struct push_old *old, int64_t pid)
{
	struct old_worker *worker = mem_calloc(1, sizeof(*worker));
	char command[64];

	worker->old = old;
	worker->pid = pid;
	snprintf(command, sizeof(command), "@!%lld show sess", (long long)pid);
	haproxy_send(old->master, command, TIMEOUT_MS, on_sessions, worker);
}

static void on_workers(void *context, int status, const char *output, size_t length)
{
	struct push_old *old = context;
	const char *end = output + length;
	int64_t pid;

	if (status < 0 && !old->unreachable)
		log_warning(
			"the master socket of HAProxy cannot be reached: sessions in old workers "
			"are not seen: check master_socket and haproxy -S");
	old->unreachable = status < 0;
	while (status == 0 && old_workers_next(&output, end, &pid))
		ask_worker(old, pid);
}

void push_old_sweep(struct push_old *old)
{
	if (haproxy_pending(old->master) == 0)
		haproxy_send(old->master, "show proc", TIMEOUT_MS, on_workers, old);
}
