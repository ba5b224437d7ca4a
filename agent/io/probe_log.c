/*
 * The prober's lines in the log. Owns only what was said last. A node is named by its address: that
 * is all that the prober knows of it.
 */
#include "io/probe_log.h"

#include <errno.h>
#include <uv.h>

#include "base/clock.h"

#define WORDS_SIZE	   200 /* so much of a node's own words */
#define SHORTAGE_LINES	   3
#define SHORTAGE_WINDOW_MS 60000

static const char *address_of(const struct probe_log *log, char *data)
{
	return address_format(log->address, data, ADDRESS_TEXT_SIZE);
}

/* What the agent or its machine lacks, whatever the node is like; NULL: the problem is another. */
static const char *shortage_remedy(int problem)
{
	switch (problem) {
	case -EMFILE:
		return "the agent has no descriptors left: raise LimitNOFILE";
	case -ENFILE:
		return "the machine has no descriptors left: raise fs.file-max";
	case -ENOMEM:
	case -ENOBUFS:
		return "the machine has no memory left for sockets";
	case -EADDRNOTAVAIL:
		return "the machine has no local port left: widen net.ipv4.ip_local_port_range";
	default:
		return NULL;
	}
}

static void log_shortage(struct probe_log_shortage *shortage, int problem)
{
	unsigned int suppressed;

	if (problem == shortage->problem)
		return;
	shortage->problem = problem;
	if (log_limit_pass(&shortage->limit, clock_mono_ms(), SHORTAGE_LINES, SHORTAGE_WINDOW_MS,
			   &suppressed))
		log_error("cannot make connections: %s suppressed=%u", shortage_remedy(problem),
			  suppressed);
}

void probe_log_connected(struct probe_log *log)
{
	log->shortage->problem = 0;
}

void probe_log_problem(struct probe_log *log, int problem)
{
	char address[ADDRESS_TEXT_SIZE], words[128];

	if (shortage_remedy(problem)) {
		log_shortage(log->shortage, problem);
		return;
	}
	if (problem == log->problem)
		return;
	log->problem = problem;
	if (problem)
		log_warning("cannot talk to node address=%s error=\"%s\"", address_of(log, address),
			    uv_strerror_r(problem, words, sizeof(words)));
	else
		log_info("talking to node again address=%s", address_of(log, address));
}

/* With the node's own words. */
static void log_refusal(const struct probe_log *log, const char *what,
			const struct redis_value *value)
{
	char address[ADDRESS_TEXT_SIZE], words[WORDS_SIZE];

	log_warning("node %s address=%s error=\"%s\"", what, address_of(log, address),
		    log_quotable(words, sizeof(words), value->text, value->length));
}

static void log_login(struct probe_log *log, const struct redis_value *value)
{
	bool refused = value->type == REDIS_ERROR;
	char address[ADDRESS_TEXT_SIZE];

	if (refused == log->login_refused)
		return;
	log->login_refused = refused;
	if (refused)
		log_refusal(log, "refuses the login", value);
	else
		log_info("node accepts the login address=%s", address_of(log, address));
}

/* Errors that pass by themselves (LOADING, BUSY) tell nothing of rights. */
static void log_info_reply(struct probe_log *log, const struct redis_value *value)
{
	bool refused = value->type == REDIS_ERROR;
	char address[ADDRESS_TEXT_SIZE];

	if (refused && reply_classify_error(value->text, value->length) != REPLY_NO_ACCESS)
		return;
	if (refused == log->info_refused)
		return;
	log->info_refused = refused;
	if (refused)
		log_refusal(log, "does not let the agent read INFO", value);
	else
		log_info("node lets the agent read INFO address=%s", address_of(log, address));
}

void probe_log_value(struct probe_log *log, enum probe_question question,
		     const struct redis_value *value)
{
	if (value->depth > 0)
		return;
	if (question == PROBE_ASK_AUTH)
		log_login(log, value);
	else if (question == PROBE_ASK_REPLICATION)
		log_info_reply(log, value);
}
