/* Guesses which option was meant. */
#pragma once

#include "config/options.h"

/** The name of @section that is @name but for a slip or two of the hand, or NULL. */
const char *nearest_option(const struct option_section *section, const char *name);
