/* The shared parts of adapter tests. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define DRAIN_LIMIT_MS 5000

size_t harness_count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

void harness_start(void)
{
	uv_loop_t loop;

	signal(SIGPIPE, SIG_IGN);
	if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0)
		abort();
}

static void on_limit(uv_timer_t *timer)
{
	struct harness *harness = timer->data;

	harness->expired = true;
}

int harness_setup(void **state)
{
	struct harness *harness = mem_calloc(1, sizeof(*harness));

	harness->descriptors = harness_count_descriptors();
	if (uv_loop_init(&harness->loop) != 0)
		return -1;
	uv_timer_init(&harness->loop, &harness->limit);
	harness->limit.data = harness;
	*state = harness;
	return 0;
}

/* How much longer all takes. Valgrind shows itself in the environment. */
static int64_t slowness(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload") ? 10 : 1;
}

static void begin_limit(struct harness *harness, int64_t limit_ms)
{
	harness->expired = false;
	uv_update_time(&harness->loop);
	uv_timer_start(&harness->limit, on_limit, (uint64_t)limit_ms, 0);
}

void harness_begin_limit(struct harness *harness, int64_t limit_ms)
{
	begin_limit(harness, limit_ms * slowness());
}

bool harness_turn(struct harness *harness)
{
	uv_run(&harness->loop, UV_RUN_ONCE);
	return !harness->expired;
}

void harness_end_limit(struct harness *harness)
{
	uv_timer_stop(&harness->limit);
}

void harness_run(struct harness *harness, int64_t time_ms)
{
	begin_limit(harness, time_ms);
	while (harness_turn(harness))
		;
	harness_end_limit(harness);
}

int harness_teardown(void **state)
{
	struct harness *harness = *state;
	int64_t end_ms = (int64_t)(uv_hrtime() / 1000000) + DRAIN_LIMIT_MS;
	size_t descriptors;
	int result;

	uv_close((uv_handle_t *)&harness->limit, NULL);
	while (uv_run(&harness->loop, UV_RUN_NOWAIT) != 0 &&
	       (int64_t)(uv_hrtime() / 1000000) < end_ms)
		usleep(1000);
	result = uv_loop_close(&harness->loop);
	if (result != 0)
		uv_print_all_handles(&harness->loop, stderr);
	descriptors = harness_count_descriptors();
	if (result != 0 || descriptors != harness->descriptors) {
		fprintf(stderr, "loop: %s; descriptors: %zu before, %zu after\n",
			result ? uv_strerror(result) : "closed", harness->descriptors, descriptors);
		return -1;
	}
	free(harness);
	return 0;
}

uint16_t harness_free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
	close(descriptor);
	return ntohs(address.sin_port);
}

static void become_redis(const struct real_redis *redis, const char *const *options)
{
	char port[8];
	const char *argv[32] = {
		"redis-server", "--port",      port,	   "--save",	     "",
		"--dir",	redis->folder, "--bind",   "127.0.0.1 -::1", "--unixsocket",
		redis->socket,	"--logfile",   "redis.log"
	};
	const char *const *argv_start = argv;
	char *const *arguments;
	size_t count = 13;

	/* Whatever becomes of the test, its server ends with it, and holds none of its descriptors.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		_exit(126);
	snprintf(port, sizeof(port), "%u", redis->port);
	for (; options && *options; options++)
		argv[count++] = *options;
	memcpy(&arguments, &argv_start, sizeof(arguments));
	execvp(argv[0], arguments);
	_exit(127);
}

static bool is_listening(const struct real_redis *redis)
{
	redisContext *context = redisConnect("127.0.0.1", redis->port);
	bool ok = context && !context->err;

	if (context)
		redisFree(context);
	return ok;
}

void real_redis_start(struct real_redis *redis, const char *const *options)
{
	*redis = (struct real_redis){ .port = harness_free_port() };
	snprintf(redis->folder, sizeof(redis->folder), "/tmp/adapter-redis-XXXXXX");
	assert_non_null(mkdtemp(redis->folder));
	snprintf(redis->socket, sizeof(redis->socket), "%s/redis.sock", redis->folder);
	redis->pid = fork();
	assert_true(redis->pid >= 0);
	if (redis->pid == 0)
		become_redis(redis, options);
	for (int i = 0; i < 500 && !is_listening(redis); i++)
		usleep(10000);
	if (!is_listening(redis))
		fail_msg("redis-server did not start on port %u", redis->port);
}

void real_redis_stop(struct real_redis *redis)
{
	char path[128];

	kill(redis->pid, SIGKILL);
	while (waitpid(redis->pid, NULL, 0) < 0 && errno == EINTR)
		;
	unlink(redis->socket);
	snprintf(path, sizeof(path), "%s/redis.log", redis->folder);
	unlink(path);
	rmdir(redis->folder);
}

void real_redis_do(const struct real_redis *redis, const char *command)
{
	redisContext *context = redisConnect("127.0.0.1", redis->port);
	redisReply *reply;

	assert_non_null(context);
	assert_int_equal(context->err, 0);
	reply = redisCommand(context, command);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", command, reply->str);
	freeReplyObject(reply);
	redisFree(context);
}

void caught_log_start(struct caught_log *log)
{
	log->file = memfd_create("log", MFD_CLOEXEC);
	log->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(log->file >= 0 && log->saved >= 0);
	assert_int_equal(dup2(log->file, STDERR_FILENO), STDERR_FILENO);
}

size_t caught_log_count(const struct caught_log *log, const char *words)
{
	char data[16384];
	ssize_t length = pread(log->file, data, sizeof(data) - 1, 0);
	size_t count = 0;

	assert_true(length >= 0);
	data[length] = '\0';
	for (const char *at = data; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

void caught_log_stop(struct caught_log *log)
{
	assert_int_equal(dup2(log->saved, STDERR_FILENO), STDERR_FILENO);
	close(log->saved);
	close(log->file);
}
