/* Random numbers for jitter, which need not be good: xorshift64. */
#pragma once

#include <stdint.h>

/** The next number; *state is the generator's and must not be 0. */
uint64_t random_next(uint64_t *state);
