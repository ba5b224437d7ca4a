/*
 * Asks each HAProxy for what the doctor wants to know: one question after the other to each, all
 * HAProxies at the same time; the first question that fails ends it. It owns what it gathers, until
 * the caller frees it, and judges nothing.
 */
#include "app/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/doctor.h"
#include "io/haproxy.h"

#define ANSWER_TIMEOUT_MS 2000
#define WORKER		  "HAPROXY_MWORKER=1" /* below level operator it is not shown */
#define QUESTION_SIZE	  1024

/* The questions; the last two are asked for each pool. */
enum question {
	QUESTION_INFO,
	QUESTION_LEVEL,
	QUESTION_WORKER,
	QUESTION_SERVERS,
	QUESTION_BACKEND
};

struct asking {
	const struct settings *settings;
	struct gathered_haproxy *result;
	struct haproxy *socket;
	enum question question;
	size_t pool;
	size_t *open; /* how many HAProxies are being asked */
};

static void ask(struct asking *asking);

static void finish(struct asking *asking, int status)
{
	asking->result->status = status;
	haproxy_free(asking->socket);
	asking->socket = NULL;
	--*asking->open;
}

/* `show cli level` answers one word; no harmless command needs level admin. */
static void take_level(struct gathered_haproxy *result, const char *output, size_t length)
{
	while (length > 0 && output[length - 1] == '\n')
		length--;
	text_copy(result->level, sizeof(result->level), output, length);
}

static void take(struct asking *asking, const char *output, size_t length)
{
	struct gathered_haproxy *result = asking->result;
	struct gathered_backend *backend;

	switch (asking->question) {
	case QUESTION_INFO:
		result->released = doctor_read_release(output, length);
		shown_read(&result->shown, output, length);
		break;
	case QUESTION_LEVEL:
		take_level(result, output, length);
		break;
	case QUESTION_WORKER:
		result->is_worker =
			length >= strlen(WORKER) && memcmp(output, WORKER, strlen(WORKER)) == 0;
		break;
	case QUESTION_SERVERS:
		shown_read(&result->shown, output, length);
		break;
	case QUESTION_BACKEND:
		backend = &result->backends[asking->pool];
		backend->present = doctor_read_backend(output, length, backend->algorithm,
						       sizeof(backend->algorithm));
		break;
	}
}

/* False: there is none. */
static bool step(struct asking *asking)
{
	if (asking->question == QUESTION_INFO && !asking->result->shown.version[0])
		return false;
	if (asking->question != QUESTION_BACKEND) {
		asking->question++;
	} else {
		asking->question = QUESTION_SERVERS;
		asking->pool++;
	}
	return asking->question < QUESTION_SERVERS || asking->pool < asking->settings->pool_count;
}

static void on_answer(void *context, int status, const char *output, size_t length)
{
	struct asking *asking = context;

	if (status == 0)
		take(asking, output, length);
	if (status == 0 && step(asking))
		ask(asking);
	else
		finish(asking, status);
}

static void ask(struct asking *asking)
{
	char question[QUESTION_SIZE];
	const char *backend = asking->question >= QUESTION_SERVERS
				      ? asking->settings->pools[asking->pool].backend
				      : "";
	struct text text;

	text_init(&text, question, sizeof(question));
	switch (asking->question) {
	case QUESTION_INFO:
		text_add(&text, "show info");
		break;
	case QUESTION_LEVEL:
		text_add(&text, "show cli level");
		break;
	case QUESTION_WORKER:
		text_add(&text, "show env HAPROXY_MWORKER");
		break;
	case QUESTION_SERVERS:
		text_addf(&text, "show servers state %s;show stat %s 4 -1", backend, backend);
		break;
	case QUESTION_BACKEND:
		text_addf(&text, "show stat %s 2 -1", backend);
		break;
	}
	haproxy_send(asking->socket, question, ANSWER_TIMEOUT_MS, on_answer, asking);
}

static void write_name(struct gathered_haproxy *result, const struct address *address)
{
	if (address->kind == ADDRESS_UNIX)
		text_copy(result->name, sizeof(result->name), address->host, strlen(address->host));
	else
		address_format(address, result->name, sizeof(result->name));
}

static void begin(struct asking *asking, uv_loop_t *loop, const struct address *address)
{
	struct gathered_haproxy *result = asking->result;

	write_name(result, address);
	result->released = -1;
	result->backends =
		mem_calloc(asking->settings->pool_count, sizeof(*asking->result->backends));
	shown_init(&result->shown);
	asking->socket = haproxy_new(loop, address);
	ask(asking);
}

struct gathered_haproxy *gather_run(uv_loop_t *loop, const struct settings *settings)
{
	size_t count = settings->haproxy_count, open = count;
	struct gathered_haproxy *haproxies = mem_calloc(count, sizeof(*haproxies));
	struct asking *askings = mem_calloc(count, sizeof(*askings));

	for (size_t i = 0; i < count; i++) {
		askings[i] = (struct asking){
			.settings = settings,
			.result = &haproxies[i],
			.open = &open,
		};
		begin(&askings[i], loop, &settings->haproxies[i].socket);
	}
	while (open > 0)
		uv_run(loop, UV_RUN_ONCE);
	free(askings);
	return haproxies;
}

void gather_free(struct gathered_haproxy *haproxies, const struct settings *settings)
{
	for (size_t i = 0; i < settings->haproxy_count; i++) {
		shown_done(&haproxies[i].shown);
		free(haproxies[i].backends);
	}
	free(haproxies);
}
