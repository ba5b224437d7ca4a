/* Timelines in text: what happens to the nodes, when, and what must be said of them. See README.md.
 */
#pragma once

#include <stdbool.h>

/** Plays the file; prints what went wrong. @trace prints each change too. True: all as expected. */
bool timeline_play(const char *path, bool trace);
