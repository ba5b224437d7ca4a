/* A list of members and their lines. It is searched for errors only, so it need not be fast. */
#include "config/places.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SENTENCE_SIZE 1024

void places_add(struct places *places, const void *member, const char *file, unsigned int line)
{
	/* Grows by doubling: at each power of two. */
	if ((places->count & (places->count - 1)) == 0)
		places->entries = mem_resize(places->entries, places->count * 2 + 1,
					     sizeof(*places->entries));
	places->entries[places->count++] =
		(struct place){ .member = member, .file = file, .line = line };
}

void places_done(struct places *places)
{
	free(places->entries);
	*places = (struct places){ 0 };
}

static bool is_included(const struct places *places, const char *file)
{
	size_t length = strlen(places->folder);
	bool inside = strncmp(file, places->folder, length) == 0 && file[length] == '/';

	/* Later versions of libconfig give the whole path. */
	return !inside && strcmp(file, places->path) != 0;
}

void places_add_error(const struct places *places, const char *file, unsigned int line,
		      const char *sentence, struct settings_errors *errors)
{
	bool included = is_included(places, file);

	settings_errors_add(errors, "%s%s%s:%u: %s", included ? places->folder : "",
			    included ? "/" : "", file, line, sentence);
}

void places_report(const struct places *places, const void *member, struct settings_errors *errors,
		   const char *format, ...)
{
	char sentence[SENTENCE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(sentence, sizeof(sentence), format, arguments) < 0)
		sentence[0] = '\0';
	va_end(arguments);
	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->entries[i];

		if (place->member != member)
			continue;
		places_add_error(places, place->file, place->line, sentence, errors);
		return;
	}
	settings_errors_add(errors, "%s%s%s", places->path ? places->path : "",
			    places->path ? ": " : "", sentence);
}
