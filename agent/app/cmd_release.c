/*
 * `redis-role-agent release`: lets go of the HAProxies, as the agent itself does when it is
 * stopped. The unit runs it as ExecStopPost=, so that after a crash too nobody goes by a dead
 * agent's marks.
 */
#include "app/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "app/push.h"
#include "app/source.h"
#include "base/log.h"

#define EXIT_UNREACHED 1
#define LIMIT_MS       2000

static const char usage[] =
	"Usage: redis-role-agent release [--config FILE]\n"
	"       redis-role-agent release --haproxy SOCKET … [--master BACKEND] [--replica "
	"BACKEND]\n"
	"\n"
	"Disables the agent's marks in every configured HAProxy: its own checks alone decide from\n"
	"then on. Where a server has no agent-check, its weight is set back to 100%. Ends with 0, "
	"or\n"
	"with 1 when a HAProxy could not be reached.\n"
	"\n"
	"  -c, --config FILE   the configuration (" SOURCE_DEFAULT_FILE ")\n"
	"      --haproxy SOCKET, --master BACKEND, --replica BACKEND\n"
	"                      without a configuration (see run --help)\n"
	"  -h, --help          print this, and end\n";

struct releasing {
	uv_loop_t loop;
	uv_timer_t limit;
	bool late, done;
};

static void on_limit(uv_timer_t *timer)
{
	struct releasing *releasing = timer->data;

	releasing->late = true;
}

static void on_closed_everywhere(void *context, size_t pool)
{
	(void)context;
	(void)pool;
}

static void on_released(void *context)
{
	struct releasing *releasing = context;

	releasing->done = true;
}

static size_t release_all(const struct settings *settings)
{
	struct releasing it = { .late = false };
	struct push *push;
	size_t unreachable;

	uv_loop_init(&it.loop);
	uv_timer_init(&it.loop, &it.limit);
	it.limit.data = &it;
	uv_timer_start(&it.limit, on_limit, LIMIT_MS, 0);
	push = push_new(&it.loop, settings, on_closed_everywhere, NULL, &it);
	while (!push_is_settled(push) && !it.late)
		uv_run(&it.loop, UV_RUN_ONCE);
	unreachable = push_count_unreachable(push);
	push_release(push, on_released, &it);
	while (!it.done)
		uv_run(&it.loop, UV_RUN_ONCE);
	push_free(push);
	uv_close((uv_handle_t *)&it.limit, NULL);
	uv_run(&it.loop, UV_RUN_DEFAULT);
	uv_loop_close(&it.loop);
	return unreachable;
}

static int release(const struct source *source)
{
	struct settings *settings = source_load(source);
	int result;

	if (!settings)
		return EXIT_WRONG;
	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARNING, log_to_journal());
	result = release_all(settings) > 0 ? EXIT_UNREACHED : EXIT_SUCCESS;
	settings_free(settings);
	return result;
}

int cmd_release(int argc, char **argv)
{
	struct source source = { 0 };
	struct source_words words = { .usage = usage, .may_attach = true };
	int result;

	if (source_read_words(&source, argc, argv, &words, &result))
		result = release(&source);
	source_done(&source);
	return result;
}
