/* The nearest word by edits: letters left out, added or replaced (Levenshtein's distance). */
#include "config/nearest.h"

#include <string.h>

#define LENGTH_LIMIT 40 /* longer ones are no slip of the hand */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Row by row; @row[j] is the distance from the first i letters of @a to the first j of @b. */
static size_t count_edits(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b), row[LENGTH_LIMIT + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t above = row[j];

			row[j] =
				least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_length];
}

const char *nearest_option(const struct option_section *section, const char *name)
{
	size_t length = strlen(name), best = length < 4 ? 2 : length < 8 ? 3 : 4;
	const char *found = NULL;

	if (length > LENGTH_LIMIT)
		return NULL;
	for (const struct option_row *option = section->options; option->name; option++) {
		size_t edits = count_edits(option->name, name);

		if (edits < best) {
			best = edits;
			found = option->name;
		}
	}
	return found;
}
