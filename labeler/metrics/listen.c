/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/listen.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

enum {
	BACKLOG = 32,
};

static void free_info(struct addrinfo **info)
{
	if (*info)
		freeaddrinfo(*info);
}

/* Of one address; a negative errno. An IPv6 socket of all addresses takes IPv4, too. */
static int listen_one(const struct addrinfo *info)
{
	auto_close int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int yes = 1;
	const int no = 0;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (info->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Splits a copy of the address at its last colon and takes the brackets away. */
static const char *split(char *copy, const char **port)
{
	char *colon = strrchr(copy, ':');
	char *host = copy;

	*port = colon ? colon + 1 : "";
	if (colon)
		*colon = '\0';
	if (*host == '[') {
		host++;
		host[strcspn(host, "]")] = '\0';
	}
	return host;
}

/* host NULL: all addresses of the family. */
static int listen_as(int family, const char *host, const char *port, struct err *err)
{
	CLEANUP(free_info) struct addrinfo *found = NULL;
	const struct addrinfo hints = {.ai_family = family,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	int r = getaddrinfo(host, port, &hints, &found);

	if (r != 0)
		return err_set(err, -EADDRNOTAVAIL, "%s", gai_strerror(r));
	r = listen_one(found);
	return r < 0 ? err_set(err, r, "%s", strerror(-r)) : r;
}

int listen_at(const char *address, struct err *err)
{
	auto_free char *copy = strdup(address);
	const char *port = NULL;
	const char *host;
	int r;

	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	host = split(copy, &port);
	if (*host)
		r = listen_as(AF_UNSPEC, host, port, err);
	else
		r = listen_as(AF_INET6, NULL, port, err);
	if (r < 0 && r != -EADDRINUSE && !*host) /* a kernel without IPv6 */
		r = listen_as(AF_INET, NULL, port, err);
	return r < 0 ? err_prefix(err, r, "listen %s", address) : r;
}
