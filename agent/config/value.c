/* Values between text and memory. Each type of option has one reader here; where the value belongs
 * says the option table. */
#include "config/value.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"

#define NAME_LIMIT 63 /* HAProxy's own, for backends and servers */

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_.:-";

static void *member_of(const struct option_row *option, void *base)
{
	return (char *)base + option->offset;
}

static size_t *count_of(const struct option_row *option, void *base)
{
	return (size_t *)((char *)base + option->count_offset);
}

bool value_is_list(const struct option_row *option)
{
	return option->type == OPTION_ADDRESSES || option->type == OPTION_NETWORKS;
}

static size_t element_size(const struct option_row *option)
{
	if (option->type == OPTION_GROUPS)
		return option->section->size;
	return option->type == OPTION_ADDRESSES ? sizeof(struct address) : sizeof(struct network);
}

/* The place of @text in @words, or -1. */
static int find_word(const char *const *words, const char *text)
{
	for (int i = 0; words && words[i]; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	return -1;
}

static int parse_string(const char *text, char **member)
{
	if (text[0] == '\0')
		return -EINVAL;
	free(*member);
	*member = mem_strdup(text);
	return 0;
}

static int parse_name(const char *text, char **member)
{
	size_t length = strlen(text);

	if (length > NAME_LIMIT || strspn(text, name_bytes) != length)
		return -EINVAL;
	return parse_string(text, member);
}

static int parse_bool(const char *text, bool *member)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return -EINVAL;
	*member = text[0] == 't';
	return 0;
}

static int store_bounded(const struct option_row *option, int64_t value, int64_t *member)
{
	if (value < option->minimum || value > option->maximum)
		return -EINVAL;
	*member = value;
	return 0;
}

static int parse_int(const struct option_row *option, const char *text, int64_t *member)
{
	int64_t value;

	if (!text_to_int64(text, strlen(text), &value))
		return -EINVAL;
	return store_bounded(option, value, member);
}

static int parse_duration(const struct option_row *option, const char *text, int64_t *member)
{
	int word = find_word(option->words, text);
	int64_t value_ms;

	if (word >= 0) {
		*member = -1 - word;
		return 0;
	}
	if (text_to_duration_ms(text, &value_ms) != 0)
		return -EINVAL;
	return store_bounded(option, value_ms, member);
}

static int parse_choice(const struct option_row *option, const char *text, void *member)
{
	int word = find_word(option->words, text);
	int value = (int)option->minimum + word;

	if (word < 0)
		return -EINVAL;
	/* Members are enums, which are as wide as int with every compiler that we take. */
	memcpy(member, &value, sizeof(value));
	return 0;
}

static int parse_address(const struct option_row *option, const char *text, struct address *member)
{
	struct address address;

	if (address_parse(text, &address) != 0 || address.kind > option->maximum)
		return -EINVAL;
	if (address.kind != ADDRESS_UNIX && address.port == 0)
		return -EINVAL;
	*member = address;
	return 0;
}

int value_parse(const struct option_row *option, const char *text, void *base)
{
	void *member = member_of(option, base);

	switch (option->type) {
	case OPTION_STRING:
		return parse_string(text, member);
	case OPTION_NAME:
		return parse_name(text, member);
	case OPTION_BOOL:
		return parse_bool(text, member);
	case OPTION_INT:
		return parse_int(option, text, member);
	case OPTION_DURATION:
		return parse_duration(option, text, member);
	case OPTION_CHOICE:
		return parse_choice(option, text, member);
	case OPTION_ADDRESS:
		return parse_address(option, text, member);
	case OPTION_ADDRESSES:
	case OPTION_NETWORKS:
	case OPTION_GROUP:
	case OPTION_GROUPS:
		break;
	}
	assert(!"value_parse is for scalars");
	return -EINVAL;
}

void value_reserve(const struct option_row *option, size_t count, void *base)
{
	void **list = member_of(option, base);

	assert(!*list);
	*list = mem_calloc(count, element_size(option));
}

void *value_add_element(const struct option_row *option, void *base)
{
	char *list = *(char **)member_of(option, base);

	return list + (*count_of(option, base))++ * element_size(option);
}

const void *value_append(const struct option_row *option, const char *text, void *base)
{
	struct address address;
	struct network network;

	assert(value_is_list(option));
	if (option->type == OPTION_ADDRESSES)
		return parse_address(option, text, &address) == 0
			       ? memcpy(value_add_element(option, base), &address, sizeof(address))
			       : NULL;
	return network_parse(text, &network) == 0
		       ? memcpy(value_add_element(option, base), &network, sizeof(network))
		       : NULL;
}

void value_set_default(const struct option_row *option, void *base)
{
	bool good;

	if (option->type == OPTION_GROUP)
		value_set_defaults(option->section, member_of(option, base));
	if (!option->fallback || option->fallback[0] == '\0')
		return;
	if (value_is_list(option)) {
		value_reserve(option, 1, base);
		good = value_append(option, option->fallback, base) != NULL;
	} else {
		good = value_parse(option, option->fallback, base) == 0;
	}
	assert(good);
	(void)good;
}

void value_set_defaults(const struct option_section *section, void *base)
{
	for (const struct option_row *option = section->options; option->name; option++)
		value_set_default(option, base);
}

static void free_groups(const struct option_row *option, void *base)
{
	char *list = *(char **)member_of(option, base);

	for (size_t i = 0; i < *count_of(option, base); i++)
		value_free_all(option->section, list + i * option->section->size);
	free(list);
}

void value_free_all(const struct option_section *section, void *base)
{
	for (const struct option_row *option = section->options; option->name; option++) {
		if (option->type == OPTION_GROUP)
			value_free_all(option->section, member_of(option, base));
		else if (option->type == OPTION_GROUPS)
			free_groups(option, base);
		else if (option->type == OPTION_STRING || option->type == OPTION_NAME ||
			 value_is_list(option))
			free(*(void **)member_of(option, base));
	}
}
