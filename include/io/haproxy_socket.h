/* The plain socket under a batch and under a watch: never blocking, close-on-exec. */
#pragma once

#include <stddef.h>

#include "base/address.h"

/**
 * Begins to connect; a Unix socket is connected on return, TCP may still be under way, which
 * writing shows. Returns the descriptor, or negative errno: -EAGAIN is a Unix listener whose queue
 * is full, to be tried again.
 */
int haproxy_socket_connect(const struct address *address) __attribute__((warn_unused_result));

/**
 * Writes what is left of the @length bytes after *@sent, which it moves on. Returns 0, -EAGAIN when
 * the rest must wait until the socket is writable, or another negative errno.
 */
int haproxy_socket_write(int descriptor, const char *bytes, size_t length, size_t *sent)
	__attribute__((warn_unused_result));
