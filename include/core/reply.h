/* What kind of reply a Redis command got. Error replies are told apart by their first word. */
#pragma once

#include <stddef.h>

enum reply_class {
	REPLY_NONE,	  /* no reply seen */
	REPLY_OK,	  /* anything that is no error */
	REPLY_BUSY,	  /* BUSY: alive, inside a long script */
	REPLY_NO_ACCESS,  /* NOAUTH WRONGPASS NOPERM DENIED, or too many clients: we are not let in
			   */
	REPLY_LOADING,	  /* LOADING: reads its data from disk, serves nobody */
	REPLY_MASTERDOWN, /* MASTERDOWN: a replica that refuses stale reads */
	REPLY_UNKNOWN_COMMAND, /* the command is renamed or disabled */
	REPLY_OTHER_ERROR,
};

/** Classifies the text of an error reply (without its leading '-'), @length bytes, no NUL needed.
 */
enum reply_class reply_classify_error(const char *error, size_t length);
