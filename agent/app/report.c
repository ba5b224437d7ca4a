/* The decision in the log: one line a change, its priority by the reason's severity. */
#include "app/report.h"

#include "base/clock.h"
#include "base/log.h"

struct alarm_text {
	enum picture_alarm alarm;
	const char *raised, *cleared;
};

static const struct alarm_text alarm_texts[] = {
	{ ALARM_TIE, "several nodes say master and nothing tells which is the right one",
	  "it is settled which node is the master" },
	{ ALARM_SECOND_MASTER, "a node beside the master says master too",
	  "no node beside the master says master any more" },
	{ ALARM_NO_MASTER, "no node takes writes", "a node takes writes again" },
	{ ALARM_NO_ACCESS,
	  "a node does not let the agent in: check auth, user rights and maxclients",
	  "every node lets the agent in" },
	{ ALARM_TILT, "the agent's own view was disturbed: verdicts are held",
	  "the agent's own view is steady again" },
	{ ALARM_UNSUPPORTED, "a node is no Redis master or replica (a Sentinel's port?)",
	  "every node is a Redis master or replica" },
};

void report_init(struct report *report, const struct settings *settings, size_t shard)
{
	*report = (struct report){ .settings = settings, .shard = shard, .incumbent = -1 };
}

static enum log_level level_of(enum reason reason)
{
	static const enum log_level levels[] = {
		[SEVERITY_INFO] = LOG_LEVEL_INFO,
		[SEVERITY_NOTICE] = LOG_LEVEL_NOTICE,
		[SEVERITY_WARNING] = LOG_LEVEL_WARNING,
		[SEVERITY_ALARM] = LOG_LEVEL_ERROR,
	};

	return levels[reason_severity(reason)];
}

static const char *node_name(const struct settings_shard *shard, int node)
{
	return node < 0 ? "none" : shard->nodes[node].name;
}

static void report_master(struct report *report, const struct settings_shard *shard,
			  const struct picture *picture)
{
	if (picture->incumbent == report->incumbent && picture->admitted_by == report->admitted_by)
		return;
	log_write(level_of(picture->admitted_by), "master shard=%s node=%s was=%s reason=%s: %s",
		  shard->name, node_name(shard, picture->incumbent),
		  node_name(shard, report->incumbent), reason_token(picture->admitted_by),
		  reason_sentence(picture->admitted_by));
	report->incumbent = picture->incumbent;
	report->admitted_by = picture->admitted_by;
}

static void report_alarms(struct report *report, const struct settings_shard *shard,
			  unsigned int alarms)
{
	for (size_t i = 0; i < sizeof(alarm_texts) / sizeof(alarm_texts[0]); i++) {
		const struct alarm_text *text = &alarm_texts[i];

		if ((alarms ^ report->alarms) & text->alarm)
			log_write(alarms & text->alarm ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE,
				  "alarm shard=%s state=%s: %s", shard->name,
				  alarms & text->alarm ? "raised" : "cleared",
				  alarms & text->alarm ? text->raised : text->cleared);
	}
	report->alarms = alarms;
}

static void report_verdict(const struct settings_shard *shard, const char *backend,
			   const struct shard_change *change)
{
	int64_t age_ms = change->fact_ms ? clock_mono_ms() - change->fact_ms : -1;

	log_write(level_of(change->is.reason),
		  "verdict shard=%s pool=%s node=%s was=%s is=%s%s reason=%s age_ms=%lld: %s",
		  shard->name, backend, shard->nodes[change->node].name,
		  verdict_state_name(change->was.state), verdict_state_name(change->is.state),
		  change->is.held ? " held=yes" : "", reason_token(change->is.reason),
		  (long long)age_ms, reason_sentence(change->is.reason));
}

void report_changes(struct report *report, const struct shard *shard, const size_t *pools)
{
	const struct settings_shard *settings = &report->settings->shards[report->shard];
	const struct picture *picture = shard_picture(shard);
	const struct shard_change *changes;
	size_t count = shard_changes(shard, &changes);

	report_master(report, settings, picture);
	for (size_t i = 0; i < count; i++)
		report_verdict(settings, report->settings->pools[pools[changes[i].pool]].backend,
			       &changes[i]);
	report_alarms(report, settings, picture->alarms);
}
