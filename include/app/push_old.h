/*
 * The workers that a reload of HAProxy has left behind: they check nothing, refuse `set server`,
 * and keep their sessions on a demoted master until these end. Through the master's socket they are
 * found and cut.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"

struct push_old;

/** True if sessions on the server must not go on. */
typedef bool push_old_is_closed(void *context, const char *backend, const char *server);

/** @master: the address of HAProxy's master CLI (haproxy -S). */
struct push_old *push_old_new(uv_loop_t *loop, const struct address *master,
			      push_old_is_closed *is_closed, void *context);
void push_old_free(struct push_old *old);

/** Looks for old workers and cuts their sessions on closed servers; nothing while it is at it
 * already. */
void push_old_sweep(struct push_old *old);
