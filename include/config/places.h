/* Where in the files each value stands, so that what is found wrong later can be said with its
 * line. */
#pragma once

#include <stddef.h>

#include "config/settings.h"

struct place {
	const void *member; /* of struct settings and below */
	const char *file;
	unsigned int line;
};

struct places {
	const char *path;   /* of the main file; NULL: the settings come from no file */
	const char *folder; /* of the main file: libconfig names included files without it */
	struct place *entries;
	size_t count;
};

/** Notes that @member was read at @file:@line; the strings must outlive the places. */
void places_add(struct places *places, const void *member, const char *file, unsigned int line);
void places_done(struct places *places);

/** Adds `file:line: sentence`, with the folder before an included file's name. */
void places_add_error(const struct places *places, const char *file, unsigned int line,
		      const char *sentence, struct settings_errors *errors);

/** Adds an error at the place of @member; of one that stands in no file, without a line. */
void places_report(const struct places *places, const void *member, struct settings_errors *errors,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
