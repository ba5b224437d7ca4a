/* The reasons' texts, from their one table. */
#include "core/reason.h"

struct reason_text {
	const char *token, *sentence;
	enum reason_severity severity;
};

static const struct reason_text texts[REASON_COUNT] = {
#define REASON_TEXT(name, token, severity, sentence) \
	[REASON_##name] = { token, sentence, SEVERITY_##severity },
	REASONS(REASON_TEXT)
#undef REASON_TEXT
};

const char *reason_token(enum reason reason)
{
	return texts[reason].token;
}

const char *reason_sentence(enum reason reason)
{
	return texts[reason].sentence;
}

enum reason_severity reason_severity(enum reason reason)
{
	return texts[reason].severity;
}
