/*
 * The option table: every option's name, type, unit, default, bounds and sentence, once. It drives
 * the loader, the sample file, `check-config --options` and the manual's drift check.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
	OPTION_STRING,
	OPTION_BOOL,
	OPTION_INT,	 /* a whole number, or a percentage */
	OPTION_DURATION, /* a string with a unit; stored in ms */
	OPTION_CHOICE,	 /* one word of a list; stored as its number */
	OPTION_ADDRESS,
	OPTION_ADDRESSES, /* a list of them */
	OPTION_NETWORKS,
	OPTION_GROUP,  /* { … }: a section */
	OPTION_GROUPS, /* ( { … }, … ): a section for each element */
};

struct option_section;

struct option {
	const char *name;
	enum option_type type;
	const char *
		fallback; /* the default as one would write it; NULL: must be given, or a section */
	int64_t minimum, maximum; /* for numbers and durations (ms) */
	const char *const *words; /* for OPTION_CHOICE: NULL-ended, in the order of the enum */
	const struct option_section *section; /* for OPTION_GROUP and OPTION_GROUPS */
	const char *example;  /* for the sample: a value worth showing; NULL: the default */
	bool reloadable;      /* false: needs a restart */
	const char *sentence; /* what it does, ending with a full stop */
	size_t offset;	      /* of the member in the section's struct */
	size_t count_offset;  /* for lists: of the member that counts */
};

struct option_section {
	const struct option *options; /* ends with a NULL name */
	size_t size;		      /* of the struct that it fills */
};

/** The top level of the file; fills struct settings. */
extern const struct option_section options_root;

/** Writes the sample configuration, each option with its sentence, to @stream. */
void options_print_sample(FILE *stream);

/** Writes one line an option, tab-separated: path, type, default, bounds or words, reloadable,
 * sentence. */
void options_print_table(FILE *stream);
