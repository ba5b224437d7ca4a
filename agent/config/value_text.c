/* What the values of an option look like, in words for people and in the file's own spelling. */
#include "config/value.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/address.h"

static const char *type_name(enum option_type type)
{
	switch (type) {
	case OPTION_STRING:
		return "string";
	case OPTION_NAME:
		return "name";
	case OPTION_BOOL:
		return "boolean";
	case OPTION_INT:
		return "number";
	case OPTION_DURATION:
		return "duration";
	case OPTION_CHOICE:
		return "word";
	case OPTION_ADDRESS:
		return "address";
	case OPTION_ADDRESSES:
		return "list of addresses";
	case OPTION_NETWORKS:
		return "list of networks";
	case OPTION_GROUP:
		return "group";
	case OPTION_GROUPS:
		return "list of groups";
	}
	return "?";
}

static void add_duration(struct text *text, int64_t value_ms)
{
	if (value_ms == 0)
		text_add(text, "0");
	else if (value_ms % 1000 == 0)
		text_addf(text, "%" PRId64 "s", value_ms / 1000);
	else
		text_addf(text, "%" PRId64 "ms", value_ms);
}

static void add_bound(const struct option_row *option, int64_t value, struct text *text)
{
	if (option->type == OPTION_DURATION)
		add_duration(text, value);
	else
		text_addf(text, "%" PRId64, value);
}

/* `"a", "b" or "c"`; with @begun the first word is an alternative too. */
static void add_words(const char *const *words, bool begun, struct text *text)
{
	for (size_t i = 0; words && words[i]; i++) {
		if (i > 0 || begun)
			text_add(text, words[i + 1] ? ", " : " or ");
		text_addf(text, "\"%s\"", words[i]);
	}
}

static void add_range(const struct option_row *option, const char *what, struct text *text)
{
	text_addf(text, "%s from ", what);
	add_bound(option, option->minimum, text);
	text_add(text, " to ");
	add_bound(option, option->maximum, text);
}

static const char *address_forms(const struct option_row *option)
{
	switch ((enum address_kind)option->maximum) {
	case ADDRESS_IP:
		return "\"10.0.0.1:8100\" or \"[::1]:8100\"";
	case ADDRESS_NAME:
		return "\"10.0.0.1:6379\", \"[::1]:6379\" or \"name:6379\"";
	case ADDRESS_UNIX:
		break;
	}
	return "\"10.0.0.1:6379\", \"[::1]:6379\", \"name:6379\" or \"unix:/path\"";
}

void value_describe(const struct option_row *option, struct text *text)
{
	switch (option->type) {
	case OPTION_STRING:
		text_add(text, "a string that is not empty");
		break;
	case OPTION_NAME:
		text_add(text, "a name of 1 to 63 letters, digits, '_', '.', ':' or '-'");
		break;
	case OPTION_BOOL:
		text_add(text, "true or false");
		break;
	case OPTION_INT:
		add_range(option, "a whole number", text);
		break;
	case OPTION_DURATION:
		add_range(option, "a duration", text);
		text_addf(text, ", as \"%s\"", option->words ? "100ms" : option->fallback);
		add_words(option->words, true, text);
		break;
	case OPTION_CHOICE:
		add_words(option->words, false, text);
		break;
	case OPTION_ADDRESS:
		text_addf(text, "an address, as %s", address_forms(option));
		break;
	case OPTION_ADDRESSES:
		text_addf(text, "a list of addresses, as ( \"127.0.0.1:8100\" ), each one %s",
			  address_forms(option));
		break;
	case OPTION_NETWORKS:
		text_add(text, "a list of networks, as ( \"10.0.0.0/8\", \"fd00::/8\" )");
		break;
	case OPTION_GROUP:
		text_add(text, "a group, as { ... }");
		break;
	case OPTION_GROUPS:
		text_add(text, "a list of groups, as ( { ... }, { ... } )");
		break;
	}
}

void value_describe_type(const struct option_row *option, struct text *text)
{
	text_add(text, type_name(option->type));
}

void value_describe_bounds(const struct option_row *option, struct text *text)
{
	switch (option->type) {
	case OPTION_INT:
	case OPTION_DURATION:
		add_bound(option, option->minimum, text);
		text_add(text, "..");
		add_bound(option, option->maximum, text);
		break;
	case OPTION_CHOICE:
		break;
	case OPTION_GROUPS:
		if (option->minimum > 0)
			text_addf(text, "at least %" PRId64, option->minimum);
		break;
	case OPTION_NAME:
		text_add(text, "1..63 bytes");
		break;
	case OPTION_ADDRESS:
	case OPTION_ADDRESSES:
		text_add(text,
			 option->maximum == ADDRESS_IP ? "host:port" : "host:port, unix:/path");
		break;
	default:
		break;
	}
	for (size_t i = 0; option->words && option->words[i]; i++)
		text_addf(text, "%s%s", i > 0 || option->type == OPTION_DURATION ? "|" : "",
			  option->words[i]);
}

static void write_quoted(const char *value, struct text *text)
{
	text_add(text, "\"");
	for (; *value; value++)
		text_addf(text, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	text_add(text, "\"");
}

void value_write(const struct option_row *option, const char *value, struct text *text)
{
	assert(option->type != OPTION_GROUP && option->type != OPTION_GROUPS);
	if (option->type == OPTION_BOOL || option->type == OPTION_INT) {
		text_add(text, value);
		return;
	}
	if (value_is_list(option))
		text_add(text, value[0] ? "( " : "( )");
	if (value[0] || !value_is_list(option))
		write_quoted(value, text);
	if (value_is_list(option) && value[0])
		text_add(text, " )");
}
