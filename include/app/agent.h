/* The running agent: the watch, the book of answers, the agent-check listeners, the service
 * manager. */
#pragma once

#include "config/settings.h"

/**
 * Runs until SIGTERM or SIGINT. @settings must outlive the call. Returns 0 after a clean stop, or
 * -1 when it could not start, after it has said why.
 */
int agent_run(const struct settings *settings) __attribute__((warn_unused_result));
