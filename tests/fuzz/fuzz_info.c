/*
 * Fuzzes what is read from a Redis node: INFO's sections and error replies. The first byte chooses
 * the section, so that a seed is a reply with one letter before it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/info.h"
#include "core/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_between(int64_t value, int64_t minimum, int64_t maximum)
{
	return value == INFO_UNKNOWN || (value >= minimum && value <= maximum);
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static void check_info(const struct info *info)
{
	require(is_text(info->run_id, sizeof(info->run_id)));
	require(is_text(info->mode, sizeof(info->mode)));
	require(is_text(info->version, sizeof(info->version)));
	require(is_text(info->replid, sizeof(info->replid)));
	require(is_text(info->replid2, sizeof(info->replid2)));
	require(is_text(info->master_host, sizeof(info->master_host)));
	require(info->role <= INFO_ROLE_OTHER && info->failover <= INFO_FAILOVER_IN_PROGRESS);
	require(is_between(info->loading, 0, 1) && is_between(info->async_loading, 0, 1));
	require(is_between(info->keys, 0, INT64_MAX) && is_between(info->uptime_s, 0, INT64_MAX));
	require(is_between(info->offset, 0, INT64_MAX));
	require(is_between(info->second_offset, -1, INT64_MAX));
	require(is_between(info->replica_offset, 0, INT64_MAX));
	require(is_between(info->master_port, 0, 65535));
	require(is_between(info->link_up, 0, 1) && is_between(info->sync_in_progress, 0, 1));
	require(is_between(info->last_io_s, -1, 1000000000));
	require(is_between(info->link_down_s, -1, 1000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reply = (const char *)data + 1;
	enum info_section section;
	struct info info, again;
	int result;

	if (size == 0)
		return 0;
	section = (enum info_section)(data[0] % INFO_SECTIONS);
	info_init(&info);
	result = info_read(&info, section, reply, size - 1);
	require(result == 0 || section == INFO_REPLICATION);
	check_info(&info);
	/* Read once more it says the same: nothing of the first time is left behind. */
	again = info;
	require(info_read(&again, section, reply, size - 1) == result);
	require(again.role == info.role && again.offset == info.offset && again.keys == info.keys);
	require(strcmp(again.replid, info.replid) == 0 &&
		strcmp(again.master_host, info.master_host) == 0);
	require(reply_classify_error(reply, size - 1) > REPLY_OK);
	return 0;
}
