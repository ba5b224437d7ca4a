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
	OPTION_NAME, /* of a shard, node or backend: what HAProxy takes as a name */
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

struct option_row {
	const char *name;
	enum option_type type;
	/* The default as one would write it, "" for none; NULL: must be given, or a section. */
	const char *fallback;
	/*
	 * Bounds of numbers and durations (ms). For OPTION_CHOICE the minimum is the first word's
	 * number, for OPTION_GROUPS how many there must be; for addresses the maximum is the last
	 * enum address_kind that is allowed.
	 */
	int64_t minimum, maximum;
	/* NULL-ended. For OPTION_CHOICE in the order of the enum; for OPTION_DURATION what may be
	 * said in place of one, stored as -1, -2 … */
	const char *const *words;
	const struct option_section *section; /* for OPTION_GROUP and OPTION_GROUPS */
	/* For the sample: a value worth showing, with a bar between those of several elements;
	 * NULL: the default. */
	const char *example;
	bool reloadable;      /* false: needs a restart */
	const char *sentence; /* what it does, ending with a full stop */
	size_t offset;	      /* of the member in the section's struct */
	size_t count_offset;  /* for lists: of the member that counts */
};

struct option_section {
	const struct option_row *options; /* ends with a NULL name */
	size_t size;			  /* of the struct that it fills */
};

/** The top level of the file; fills struct settings. */
extern const struct option_section options_root;

/** Writes the sample configuration, each option with its sentence, to @stream. */
void options_print_sample(FILE *stream);

/** Writes one line an option, tab-separated: path, type, default, bounds or words, reloadable,
 * sentence. */
void options_print_table(FILE *stream);
