/* Text in buffers of fixed size, numbers and units. No allocation, no locale, no I/O. */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

void text_init(struct text *text, char *data, size_t size)
{
	*text = (struct text){ .data = data, .size = size };
	data[0] = '\0';
}

void text_add(struct text *text, const char *s)
{
	text_addf(text, "%s", s);
}

void text_addf(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->data + text->length, room, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if ((size_t)length >= room) {
		text->truncated = true;
		text->length = text->size - 1;
	} else {
		text->length += (size_t)length;
	}
}

void text_copy(char *data, size_t size, const char *s, size_t length)
{
	size_t copied = length < size ? length : size - 1;

	memcpy(data, s, copied);
	data[copied] = '\0';
}

bool text_equal(const char *s, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(s, word, length) == 0;
}

uint64_t text_hash(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 0x100000001b3U;
	return hash;
}

bool text_to_int64(const char *s, size_t length, int64_t *ret_value)
{
	bool negative = length > 0 && s[0] == '-';
	size_t i = negative || (length > 0 && s[0] == '+') ? 1 : 0;
	int64_t value = 0;

	if (i == length)
		return false;
	for (; i < length; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		/* Built below zero, where the range is one larger. */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, s[i] - '0', &value))
			return false;
	}
	if (!negative && value == INT64_MIN)
		return false;
	*ret_value = negative ? value : -value;
	return true;
}

int text_to_duration_ms(const char *s, int64_t *ret_ms)
{
	static const struct unit units[] = {
		{ "ms", 1 },	   { "s", 1000 },      { "m", 60000L },
		{ "h", 3600000L }, { "d", 86400000L }, { NULL, 0 },
	};
	const struct unit *unit = units;
	size_t digits = strspn(s, "0123456789");
	int64_t value;

	if (digits == 0)
		return -EINVAL;
	if (!text_to_int64(s, digits, &value))
		return -ERANGE;
	if (value == 0 && s[digits] == '\0') {
		*ret_ms = 0;
		return 0;
	}
	for (; unit->name; unit++) {
		if (strcmp(s + digits, unit->name) != 0)
			continue;
		if (__builtin_mul_overflow(value, unit->factor, &value))
			return -ERANGE;
		*ret_ms = value;
		return 0;
	}
	return -EINVAL;
}
