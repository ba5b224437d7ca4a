/* Seeded random timelines: faults at random moments, the invariants as judges. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Plays the timeline of @seed; prints the invariant that broke. @trace prints what happens too. */
bool random_play(uint64_t seed, bool trace);
