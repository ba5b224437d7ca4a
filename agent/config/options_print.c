/* The option table printed: as a sample file with words on each option, and as a table for
 * programs. It knows the types of options, and no option. */
#include "config/options.h"

#include <string.h>

#include "base/text.h"
#include "config/value.h"

#define WIDTH	  100
#define TAB	  8
#define LINE_SIZE 1024

struct printer {
	FILE *stream;
	int depth;
	int off_depth; /* from this depth on all is commented out; -1: nothing is */
};

static void print_sample_section(struct printer *printer, const struct option_section *section,
				 size_t element);

/* What must stand in every file; the rest is shown commented out. */
static bool is_needed(const struct option_row *option)
{
	if (option->type == OPTION_GROUPS)
		return option->minimum > 0;
	return option->type == OPTION_GROUP || !option->fallback;
}

/* Tabs up to the depth, with a # where the comment begins. */
static void print_indent(const struct printer *printer)
{
	for (int i = 0; i <= printer->depth; i++) {
		if (i == printer->off_depth)
			fputc('#', printer->stream);
		if (i < printer->depth)
			fputc('\t', printer->stream);
	}
}

/* @sentence in lines of comment, broken between words. */
static void print_comment(const struct printer *printer, const char *sentence)
{
	int room = WIDTH - printer->depth * TAB - 1, column = 0;

	while (*sentence) {
		int length = (int)strcspn(sentence, " ");

		if (column == 0 || column + 1 + length > room) {
			if (column > 0)
				fputc('\n', printer->stream);
			print_indent(printer);
			fputs("#", printer->stream);
			column = 0;
		}
		fprintf(printer->stream, " %.*s", length, sentence);
		column += 1 + length;
		sentence += length;
		sentence += strspn(sentence, " ");
	}
	fputc('\n', printer->stream);
}

/* What @option shows in the given element: the part between two bars, or the last one there is. */
static void pick_value(const struct option_row *option, size_t element, char *data, size_t size)
{
	const char *at = option->example ? option->example : option->fallback;
	size_t length = strcspn(at, "|");

	for (; element > 0 && at[length] == '|'; element--) {
		at += length + 1;
		length = strcspn(at, "|");
	}
	text_copy(data, size, at, length);
}

static size_t count_elements(const struct option_section *section)
{
	size_t most = 1;

	for (const struct option_row *option = section->options; option->name; option++) {
		size_t count = 1;

		for (const char *s = option->example ? option->example : ""; *s; s++)
			count += *s == '|';
		most = count > most ? count : most;
	}
	return most;
}

/* The default as a word: one that must be given, or is nothing, has none to show. */
static const char *fallback_of(const struct option_row *option)
{
	if (is_needed(option) && option->type != OPTION_GROUP)
		return "required";
	return option->fallback && option->fallback[0] ? option->fallback : "none";
}

/* The sentence, and on a line of its own the type, the bounds and the default. */
static void print_explanation(const struct printer *printer, const struct option_row *option)
{
	char data[LINE_SIZE], bounds_data[LINE_SIZE];
	struct text text, bounds;

	print_comment(printer, option->sentence);
	if (option->section)
		return;
	text_init(&text, data, sizeof(data));
	text_init(&bounds, bounds_data, sizeof(bounds_data));
	value_describe_type(option, &text);
	value_describe_bounds(option, &bounds);
	text_addf(&text, "%s%s; %s%s", bounds.length > 0 ? ", " : "", bounds_data,
		  is_needed(option) ? "" : "default ", fallback_of(option));
	print_comment(printer, data);
}

static void print_scalar(const struct printer *printer, const struct option_row *option,
			 size_t element)
{
	char value[LINE_SIZE], data[LINE_SIZE];
	struct text text;

	text_init(&text, data, sizeof(data));
	pick_value(option, element, value, sizeof(value));
	value_write(option, value, &text);
	print_indent(printer);
	fprintf(printer->stream, "%s = %s;\n", option->name, data);
}

static void print_sections(struct printer *printer, const struct option_row *option)
{
	bool list = option->type == OPTION_GROUPS;
	size_t count = list ? count_elements(option->section) : 1;

	print_indent(printer);
	fprintf(printer->stream, "%s = %s{\n", option->name, list ? "( " : "");
	for (size_t i = 0; i < count; i++) {
		if (i > 0) {
			print_indent(printer);
			fputs("}, {\n", printer->stream);
		}
		printer->depth++;
		print_sample_section(printer, option->section, i);
		printer->depth--;
	}
	print_indent(printer);
	fputs(list ? "} );\n" : "};\n", printer->stream);
}

static void print_option(struct printer *printer, const struct option_row *option, size_t element)
{
	bool turns_off = printer->off_depth < 0 && !is_needed(option);

	if (element == 0)
		print_explanation(printer, option);
	if (turns_off)
		printer->off_depth = printer->depth;
	if (option->section)
		print_sections(printer, option);
	else
		print_scalar(printer, option, element);
	if (turns_off)
		printer->off_depth = -1;
}

static void print_sample_section(struct printer *printer, const struct option_section *section,
				 size_t element)
{
	for (const struct option_row *option = section->options; option->name; option++) {
		/* The first element shows every option, the others only what they need. */
		if (element > 0 && !is_needed(option))
			continue;
		if (element == 0 && option != section->options && printer->off_depth < 0)
			fputc('\n', printer->stream);
		print_option(printer, option, element);
	}
}

void options_print_sample(FILE *stream)
{
	struct printer printer = { .stream = stream, .off_depth = -1 };

	print_comment(&printer, "The configuration of redis-role-agent, with every option that "
				"there is. Lines that begin with # and no space are options at "
				"their default or with an example: remove the # to change them.");
	print_comment(&printer, "Durations are strings with a unit (\"200ms\", \"5s\", \"10m\"). "
				"The last element of a list has no comma after it. Another file is "
				"taken in by a line of its own, with a path relative to this file: "
				"@include \"conf.d/main.cfg\"");
	print_comment(&printer, "Check the file with: redis-role-agent check-config FILE. The "
				"manual is redis-role-agent.cfg(5).");
	fputc('\n', stream);
	print_sample_section(&printer, &options_root, 0);
}

static void print_row(FILE *stream, const char *path, const struct option_row *option)
{
	char type_data[LINE_SIZE], bounds_data[LINE_SIZE];
	struct text type, bounds;

	text_init(&type, type_data, sizeof(type_data));
	text_init(&bounds, bounds_data, sizeof(bounds_data));
	value_describe_type(option, &type);
	value_describe_bounds(option, &bounds);
	fprintf(stream, "%s\t%s\t%s\t%s\t%s\t%s\n", path, type_data, fallback_of(option),
		bounds.length > 0 ? bounds_data : "-",
		option->reloadable ? "reloadable" : "restart", option->sentence);
}

static void print_rows(FILE *stream, const char *above, const struct option_section *section)
{
	for (const struct option_row *option = section->options; option->name; option++) {
		char data[LINE_SIZE];
		struct text path;

		text_init(&path, data, sizeof(data));
		text_addf(&path, "%s%s%s%s", above, above[0] ? "." : "", option->name,
			  option->type == OPTION_GROUPS ? "[]" : "");
		print_row(stream, data, option);
		if (option->section)
			print_rows(stream, data, option->section);
	}
}

void options_print_table(FILE *stream)
{
	print_rows(stream, "", &options_root);
}
