/* Starting, reloading and ending a haproxy of the tests' own. */
#include "real_haproxy.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness.h"

static const char config[] = "global\n"
			     "  stats socket %s level admin\n"
			     "  stats socket %s level user\n"
			     "  stats socket ipv4@127.0.0.1:%u level admin\n"
			     "  hard-stop-after 30s\n"
			     "ring marks\n"
			     "  format timed\n"
			     "  maxlen 400\n"
			     "  size 32768\n"
			     "defaults\n"
			     "  mode tcp\n"
			     "  timeout connect 1s\n"
			     "  timeout client 60s\n"
			     "  timeout server 60s\n"
			     "frontend ft_master\n"
			     "  bind 127.0.0.1:%u\n"
			     "  default_backend bk_master\n"
			     "backend bk_master\n"
			     "  log ring@marks local0 notice\n"
			     "  default-server agent-check agent-port 1 agent-inter 60s\n"
			     "  server a 127.0.0.1:%u\n"
			     "backend bk_many\n"
			     "  server-template s 1-%u 127.0.0.1:1 disabled\n";

static struct address unix_address(const struct real_haproxy *haproxy, const char *name)
{
	struct address address = { .kind = ADDRESS_UNIX };

	snprintf(address.host, sizeof(address.host), "%s/%s", haproxy->folder, name);
	return address;
}

static void write_config(const struct real_haproxy *haproxy, unsigned int servers)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/haproxy.cfg", haproxy->folder);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, config, haproxy->admin.host, haproxy->user.host, haproxy->tcp.port,
		haproxy->port, haproxy->server_port, servers);
	assert_int_equal(fclose(file), 0);
}

static void become_haproxy(const struct real_haproxy *haproxy)
{
	/* Whatever becomes of the test, its server ends with it, and holds none of its descriptors.
	 */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (chdir(haproxy->folder) != 0 || !freopen("haproxy.log", "w", stdout) ||
	    !freopen("haproxy.log", "w", stderr))
		_exit(126);
	for (int i = 3; i < 64; i++)
		close(i);
	execlp("haproxy", "haproxy", "-W", "-S", haproxy->master.host, "-f", "haproxy.cfg",
	       (char *)NULL);
	_exit(127);
}

static bool is_listening(const struct address *address)
{
	struct sockaddr_storage sockaddr;
	socklen_t length;
	int descriptor;
	bool ok;

	assert_int_equal(address_to_sockaddr(address, &sockaddr, &length), 0);
	descriptor = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = connect(descriptor, (struct sockaddr *)&sockaddr, length) == 0;
	close(descriptor);
	return ok;
}

void real_haproxy_start(struct real_haproxy *haproxy, unsigned int servers)
{
	*haproxy = (struct real_haproxy){ .port = harness_free_port(),
					  .server_port = harness_free_port() };
	snprintf(haproxy->folder, sizeof(haproxy->folder), "/tmp/adapter-haproxy-XXXXXX");
	assert_non_null(mkdtemp(haproxy->folder));
	haproxy->admin = unix_address(haproxy, "admin.sock");
	haproxy->user = unix_address(haproxy, "user.sock");
	haproxy->master = unix_address(haproxy, "master.sock");
	haproxy->tcp = (struct address){ .kind = ADDRESS_IP,
					 .host = "127.0.0.1",
					 .port = harness_free_port() };
	write_config(haproxy, servers);
	haproxy->pid = fork();
	assert_true(haproxy->pid >= 0);
	if (haproxy->pid == 0)
		become_haproxy(haproxy);
	for (int i = 0; i < 500; i++) {
		if (is_listening(&haproxy->admin) && is_listening(&haproxy->tcp) &&
		    is_listening(&haproxy->master))
			return;
		usleep(10000);
	}
	fail_msg("haproxy did not start; see %s", haproxy->folder);
}

void real_haproxy_reload(const struct real_haproxy *haproxy)
{
	assert_int_equal(kill(haproxy->pid, SIGUSR2), 0);
}

void real_haproxy_stop(struct real_haproxy *haproxy)
{
	static const char *const names[] = { "admin.sock", "user.sock", "master.sock",
					     "haproxy.cfg", "haproxy.log" };
	char path[128];

	kill(haproxy->pid, SIGTERM);
	while (waitpid(haproxy->pid, NULL, 0) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", haproxy->folder, names[i]);
		unlink(path);
	}
	rmdir(haproxy->folder);
}
