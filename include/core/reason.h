/*
 * Why a verdict is as it is: a closed list. The same token stands in the agent's answer (and so on
 * HAProxy's statistics page), in the log and in the manual. X(name, token, severity, sentence)
 */
#pragma once

enum reason_severity { SEVERITY_INFO, SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_ALARM };

#define REASONS(X)                                                                                 \
	X(NOT_YET, "not-yet", INFO, "nothing is known of the node yet")                            \
	/* how the incumbent was admitted */                                                       \
	X(FIRST_PROOF, "first-proof", NOTICE,                                                      \
	  "the only master, or the one that the replicas follow, at the agent's start")            \
	X(HANDED_OVER, "handed-over", NOTICE, "the former master itself now follows it")           \
	X(PROMOTED_EARLY, "promoted-early", NOTICE,                                                \
	  "it descends from the master that died and was promoted")                                \
	X(FOLLOWED, "followed", NOTICE,                                                            \
	  "it descends from the former master and other replicas follow it")                       \
	X(RESTARTED_MASTER, "restarted-master", NOTICE,                                            \
	  "the master restarted and nobody took its place")                                        \
	/* master pools */                                                                         \
	X(MASTER, "master", INFO, "it is the one master")                                          \
	X(AGENT_TILT, "agent-tilt", ALARM,                                                         \
	  "the agent's own view was disturbed; verdicts are held")                                 \
	X(UNREACHABLE, "unreachable", WARNING, "it refuses connections or does not answer")        \
	X(DEMOTED, "demoted", NOTICE, "it was the master and now says replica")                    \
	X(LOADING, "loading", NOTICE, "it is loading its data")                                    \
	X(RESTARTED, "restarted", WARNING,                                                         \
	  "it was the master and has restarted; it must be confirmed first")                       \
	X(BUSY, "busy", WARNING, "it is inside a long script; nothing new is known")               \
	X(NO_ACCESS, "no-access", ALARM,                                                           \
	  "the agent is not let in: password, user or rights are wrong, or it has no connection "  \
	  "left")                                                                                  \
	X(SILENT, "silent", NOTICE, "it has not answered in time, not often enough to judge it")   \
	X(UNSUPPORTED, "unsupported", ALARM,                                                       \
	  "it does not speak of a role that traffic can be routed by")                             \
	X(REPLICA, "replica", INFO, "it is a replica, ready to be promoted")                       \
	X(RETURNED_MASTER, "returned-master", ALARM,                                               \
	  "it was the master before, or restarted, and says master again; it is not the one")      \
	X(SECOND_MASTER, "second-master", ALARM, "it says master, but another node is the master") \
	X(TIE, "tie", ALARM, "several nodes say master and nothing tells which is the right one")  \
	/* replica pools */                                                                        \
	X(FRESH, "fresh", INFO, "its link to the master is up")                                    \
	X(LINK_GRACE, "link-grace", NOTICE, "its link to the master went down moments ago")        \
	X(LINK_DOWN, "link-down", WARNING, "its link to the master is down or silent")             \
	X(ORPHAN, "orphan", NOTICE,                                                                \
	  "the master that it follows is gone; it may serve what it has for a while")              \
	X(NEVER_SYNCED, "never-synced", WARNING, "it has not got its first copy of the data")      \
	X(SYNCING, "syncing", NOTICE, "it is getting a new copy of the data")                      \
	X(NOT_SERVING, "not-serving", WARNING, "it refuses reads")                                 \
	X(FOREIGN, "foreign", WARNING, "it replicates another history than the master's")          \
	X(FALLBACK, "fallback", NOTICE,                                                            \
	  "it is the master and serves reads, for too few replicas can")                           \
	X(LEAST_BAD, "least-bad", ALARM, "nothing fit is left; it is the best of what remains")

enum reason {
#define REASON_NAME(name, token, severity, sentence) REASON_##name,
	REASONS(REASON_NAME)
#undef REASON_NAME
		REASON_COUNT
};

const char *reason_token(enum reason reason);
const char *reason_sentence(enum reason reason);
enum reason_severity reason_severity(enum reason reason);
