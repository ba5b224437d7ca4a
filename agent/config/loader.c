/* From libconfig's tree to struct settings: a recursion over the sections of the option table. It
 * knows no option by name; libconfig is known to this file alone. */
#include "config/settings.h"

#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/check.h"
#include "config/nearest.h"
#include "config/options.h"
#include "config/places.h"
#include "config/precheck.h"
#include "config/value.h"

#define SENTENCE_SIZE 1024

struct loader {
	struct places places;
	struct settings_errors *errors;
};

static void load_section(struct loader *loader, const config_setting_t *group,
			 const struct option_section *section, void *base);

static const char *file_of(const struct loader *loader, const config_setting_t *setting)
{
	const char *file = config_setting_source_file(setting);

	return file ? file : loader->places.path;
}

/* libconfig gives the root no line. */
static unsigned int line_of(const config_setting_t *setting)
{
	unsigned int line = config_setting_source_line(setting);

	return line > 0 ? line : 1;
}

__attribute__((format(printf, 3, 4))) static void
report(struct loader *loader, const config_setting_t *setting, const char *format, ...)
{
	char sentence[SENTENCE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(sentence, sizeof(sentence), format, arguments) < 0)
		sentence[0] = '\0';
	va_end(arguments);
	places_add_error(&loader->places, file_of(loader, setting), line_of(setting), sentence,
			 loader->errors);
}

static void note_place(struct loader *loader, const config_setting_t *setting, const void *member)
{
	places_add(&loader->places, member, file_of(loader, setting), line_of(setting));
}

/* What stands in the file, for the sentence that it is wrong. */
static void describe_setting(const config_setting_t *setting, struct text *text)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		text_addf(text, "the number %lld", config_setting_get_int64(setting));
		break;
	case CONFIG_TYPE_FLOAT:
		text_addf(text, "the fraction %g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_STRING:
		text_addf(text, "\"%.80s\"", config_setting_get_string(setting));
		break;
	case CONFIG_TYPE_BOOL:
		text_add(text, config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_GROUP:
		text_add(text, "a group { }");
		break;
	case CONFIG_TYPE_ARRAY:
		text_add(text, "an array [ ]");
		break;
	default:
		text_add(text, "a list ( )");
		break;
	}
}

static void report_wrong(struct loader *loader, const config_setting_t *setting,
			 const struct option_row *option)
{
	char wanted_data[VALUE_TEXT_SIZE], found_data[VALUE_TEXT_SIZE];
	struct text wanted, found;

	text_init(&wanted, wanted_data, sizeof(wanted_data));
	text_init(&found, found_data, sizeof(found_data));
	value_describe(option, &wanted);
	describe_setting(setting, &found);
	report(loader, setting, "\"%s\" is %s: it must be %s", option->name, found_data,
	       wanted_data);
}

/* The type that libconfig gives to a good value of @option. */
static bool is_of_type(const config_setting_t *setting, const struct option_row *option)
{
	int type = config_setting_type(setting);

	switch (option->type) {
	case OPTION_BOOL:
		return type == CONFIG_TYPE_BOOL;
	case OPTION_INT:
		return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	case OPTION_ADDRESSES:
	case OPTION_NETWORKS:
		return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
	case OPTION_GROUP:
		return type == CONFIG_TYPE_GROUP;
	case OPTION_GROUPS:
		return type == CONFIG_TYPE_LIST;
	default:
		return type == CONFIG_TYPE_STRING;
	}
}

static void load_scalar(struct loader *loader, const config_setting_t *setting,
			const struct option_row *option, void *base)
{
	const char *text;
	char number[32];

	if (option->type == OPTION_INT) {
		snprintf(number, sizeof(number), "%lld", config_setting_get_int64(setting));
		text = number;
	} else if (option->type == OPTION_BOOL) {
		text = config_setting_get_bool(setting) ? "true" : "false";
	} else {
		text = config_setting_get_string(setting);
	}
	if (value_parse(option, text, base) != 0)
		report_wrong(loader, setting, option);
	else
		note_place(loader, setting, (char *)base + option->offset);
}

static void load_list(struct loader *loader, const config_setting_t *setting,
		      const struct option_row *option, void *base)
{
	unsigned int count = (unsigned int)config_setting_length(setting);

	note_place(loader, setting, (char *)base + option->offset);
	value_reserve(option, count, base);
	for (unsigned int i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, i);
		const char *text = config_setting_get_string(element);
		const void *member = text ? value_append(option, text, base) : NULL;

		if (member)
			note_place(loader, element, member);
		else
			report_wrong(loader, element, option);
	}
}

static void load_groups(struct loader *loader, const config_setting_t *setting,
			const struct option_row *option, void *base)
{
	unsigned int count = (unsigned int)config_setting_length(setting);

	if (count < (size_t)option->minimum)
		report(loader, setting, "\"%s\" is empty: add at least one { ... }", option->name);
	value_reserve(option, count, base);
	for (unsigned int i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, i);

		if (config_setting_is_group(element))
			load_section(loader, element, option->section,
				     value_add_element(option, base));
		else
			report_wrong(loader, element, option);
	}
}

static void load_missing(struct loader *loader, const config_setting_t *group,
			 const struct option_row *option, void *base)
{
	bool needed = option->type == OPTION_GROUPS
			      ? option->minimum > 0
			      : option->type != OPTION_GROUP && !option->fallback;
	char data[VALUE_TEXT_SIZE];
	struct text wanted;

	if (!needed) {
		value_set_default(option, base);
		return;
	}
	text_init(&wanted, data, sizeof(data));
	value_describe(option, &wanted);
	report(loader, group, "\"%s\" is missing %s: add it, %s", option->name,
	       config_setting_is_root(group) ? "in the file" : "in this section", data);
}

static void load_option(struct loader *loader, const config_setting_t *group,
			const struct option_row *option, void *base)
{
	const config_setting_t *setting = config_setting_get_member(group, option->name);

	if (!setting)
		load_missing(loader, group, option, base);
	else if (!is_of_type(setting, option))
		report_wrong(loader, setting, option);
	else if (option->type == OPTION_GROUP)
		load_section(loader, setting, option->section, (char *)base + option->offset);
	else if (option->type == OPTION_GROUPS)
		load_groups(loader, setting, option, base);
	else if (value_is_list(option))
		load_list(loader, setting, option, base);
	else
		load_scalar(loader, setting, option, base);
}

static void check_key(struct loader *loader, const config_setting_t *setting,
		      const struct option_section *section)
{
	const char *name = config_setting_name(setting), *nearest;
	char data[VALUE_TEXT_SIZE];
	struct text known;

	for (const struct option_row *option = section->options; option->name; option++) {
		if (strcmp(option->name, name) == 0)
			return;
	}
	nearest = nearest_option(section, name);
	if (nearest) {
		report(loader, setting, "there is no option \"%s\" here: did you mean \"%s\"?",
		       name, nearest);
		return;
	}
	text_init(&known, data, sizeof(data));
	for (const struct option_row *option = section->options; option->name; option++)
		text_addf(&known, "%s%s", option == section->options ? "" : ", ", option->name);
	report(loader, setting, "there is no option \"%s\" here: remove it, or use one of %s", name,
	       data);
}

static void load_section(struct loader *loader, const config_setting_t *group,
			 const struct option_section *section, void *base)
{
	unsigned int count = (unsigned int)config_setting_length(group);

	for (unsigned int i = 0; i < count; i++)
		check_key(loader, config_setting_get_elem(group, i), section);
	for (const struct option_row *option = section->options; option->name; option++)
		load_option(loader, group, option, base);
}

/* libconfig's few words, with what helps. Where it has none for a case, the syntax is meant. */
static const char *remedy_of(const char *text)
{
	static const struct {
		const char *text, *remedy;
	} remedies[] = {
		{ "syntax error", "look here and just before for a missing \";\", quote or "
				  "bracket, or a comma after the last element" },
		{ "duplicate setting name", "the name is used twice in its section: remove one" },
		{ "mismatched element type in array",
		  "write a list ( ) in place of the array [ ]" },
		{ "cannot open include file", "create it or correct the path" },
	};

	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
		if (strcmp(text, remedies[i].text) == 0)
			return remedies[i].remedy;
	}
	return "correct the line";
}

static void report_syntax(const config_t *config, const struct places *places,
			  struct settings_errors *errors)
{
	const char *file = config_error_file(config), *text = config_error_text(config);
	char sentence[SENTENCE_SIZE];

	if (config_error_type(config) == CONFIG_ERR_FILE_IO) {
		settings_errors_add(errors, "%s: cannot be read: make it readable", places->path);
		return;
	}
	snprintf(sentence, sizeof(sentence), "%s: %s", text, remedy_of(text));
	places_add_error(places, file ? file : places->path,
			 (unsigned int)config_error_line(config), sentence, errors);
}

/* Parses, reads the tree option by option, and looks at the whole. */
static void load_files(config_t *config, struct loader *loader, struct settings *settings)
{
	struct places *places = &loader->places;

	if (precheck_files(places->path, places->folder, loader->errors) != 0)
		return;
	config_set_include_dir(config, places->folder);
	if (!config_read_file(config, places->path)) {
		report_syntax(config, places, loader->errors);
		return;
	}
	load_section(loader, config_root_setting(config), &options_root, settings);
	check_settings(settings, places, loader->errors);
}

/* The folder of @path: what is before the last slash. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_strdup(slash ? path : ".");

	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
	return folder;
}

int settings_load(const char *path, struct settings **ret_settings, struct settings_errors *errors)
{
	struct settings *settings = mem_calloc(1, sizeof(*settings));
	size_t before = errors->count;
	char *folder = folder_of(path);
	struct loader loader = { .places = { .path = path, .folder = folder }, .errors = errors };
	config_t config;

	config_init(&config);
	load_files(&config, &loader, settings);
	places_done(&loader.places);
	config_destroy(&config);
	free(folder);
	if (errors->count != before) {
		settings_free(settings);
		return -EINVAL;
	}
	*ret_settings = settings;
	return 0;
}
