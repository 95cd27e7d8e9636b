/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpdk: finds and loads the shared object, see dpdk.h. It is never unloaded:
 * DPDK cannot be.
 */
#include "router/dpdk.h"

#include "lib/base.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_NAME "europa-router-dpdk.so"

static const struct dpdk *started;

/* Beside this program, or where the environment says. */
static int
find(char *path, size_t size)
{
	const char *said = getenv("EUROPA_ROUTER_DPDK");
	char self[PATH_MAX];
	ssize_t n;
	const char *slash;

	if (said)
		return snprintf(path, size, "%s", said) < (int)size
			   ? 0
			   : -ENAMETOOLONG;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	return snprintf(path, size, "%.*s/" FILE_NAME, (int)(slash - self),
		   self) < (int)size
		   ? 0
		   : -ENAMETOOLONG;
}

static const struct dpdk *
load(struct err *e)
{
	char path[PATH_MAX];
	const struct dpdk *d;
	void *library;
	int rc = find(path, sizeof(path));

	if (rc < 0) {
		err_set(e, rc, "%s: %s", FILE_NAME, strerror(-rc));
		return NULL;
	}
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		err_set(e, -ENOENT, "DPDK for the router: %s", dlerror());
		return NULL;
	}
	d = dlsym(library, DPDK_SYMBOL);
	if (d && d->version == DPDK_VERSION)
		return d;
	err_set(e, -EPROTO, "%s: not of this europa-router", path);
	dlclose(library);
	return NULL;
}

int
dpdk_start(unsigned mib, struct err *e)
{
	const struct dpdk *d;
	int rc;

	if (started)
		return 0;
	d = load(e);
	if (!d)
		return e->no;
	rc = d->start(mib);
	if (rc < 0)
		return err_set(e, rc,
		    "DPDK does not start with %u MiB: %s (its own words are "
		    "above)",
		    mib, strerror(-rc));
	started = d;
	return 0;
}

const struct dpdk *
dpdk_get(void)
{
	return started;
}
