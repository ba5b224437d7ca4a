/* Text: building it in a buffer of fixed size, and reading numbers and units out of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A string under construction in a buffer that the caller owns; always NUL-terminated. */
struct text {
	char *data;
	size_t size;
	size_t length;
	bool truncated; /* something did not fit and was left out */
};

/** Begins an empty text in @data, which holds @size bytes (at least 1). */
void text_init(struct text *text, char *data, size_t size);

/** Appends, as far as it fits. */
void text_add(struct text *text, const char *s);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Copies at most @size - 1 bytes of @s (@length bytes, no NUL needed) to @data and terminates it.
 */
void text_copy(char *data, size_t size, const char *s, size_t length);

/** True if the @length bytes at @s are exactly the string @word. */
bool text_equal(const char *s, size_t length, const char *word);

/** A number made of @length bytes (FNV-1a, 64 bits). */
uint64_t text_hash(const void *bytes, size_t length);

/** Reads a whole decimal number, sign allowed, nothing else around it. False: not one, or out of
 * range. */
bool text_to_int64(const char *s, size_t length, int64_t *ret_value);

/**
 * Reads a duration with its unit ("200ms", "5s", "10m", "2h", "1d"; "0" needs none) as
 * milliseconds. Returns 0, or -EINVAL when it is none, -ERANGE when it is too large.
 */
int text_to_duration_ms(const char *s, int64_t *ret_ms) __attribute__((warn_unused_result));
