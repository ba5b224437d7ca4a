/*
 * Values of options: read from text into the member that the option table names, described in
 * words, set to their defaults and freed. Knows the table's types, but no option and no file.
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "config/options.h"

#define VALUE_TEXT_SIZE 512 /* enough for each description below */

/** True for lists of scalars, which value_append fills. */
bool value_is_list(const struct option_row *option);

/**
 * Reads @text as the value of the scalar @option into its member of the struct at @base. Returns 0,
 * or -EINVAL when it is not what value_describe says. The member's old text is freed.
 */
int value_parse(const struct option_row *option, const char *text, void *base)
	__attribute__((warn_unused_result));

/** Makes zeroed room for @count elements of the empty list or list of groups @option; none yet. */
void value_reserve(const struct option_row *option, size_t count, void *base);

/** The next element of it, now counted. There must be room. */
void *value_add_element(const struct option_row *option, void *base);

/** Reads @text as the next element of a list of scalars. Returns the element, or NULL as above. */
const void *value_append(const struct option_row *option, const char *text, void *base);

/** Sets one option, or each of @section (groups inside too), of the zeroed struct at @base. */
void value_set_default(const struct option_row *option, void *base);
void value_set_defaults(const struct option_section *section, void *base);

/** Frees what the members of the struct at @base hold, and not the struct. */
void value_free_all(const struct option_section *section, void *base);

/** Appends what is wanted: `a duration from 10ms to 60s, as "200ms"`. */
void value_describe(const struct option_row *option, struct text *text);

/** Appends the type alone: `duration`. And the bounds: `10ms..60s`, nothing where there are none.
 */
void value_describe_type(const struct option_row *option, struct text *text);
void value_describe_bounds(const struct option_row *option, struct text *text);

/** Appends the text @value as the file wants it: `"200ms"`, `3`, `( "127.0.0.1:8100" )`. */
void value_write(const struct option_row *option, const char *value, struct text *text);
