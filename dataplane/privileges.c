/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges: see privileges.h. Capabilities belong to threads: DPDK's own
 * thread, started before, loses all of them with the change of user; threads
 * started later inherit what is left here.
 */
#include "dataplane/privileges.h"

#include "lib/base.h"
#include "lib/log.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum {
	KEPT = 1 << CAP_NET_RAW | 1 << CAP_NET_ADMIN | 1 << CAP_IPC_LOCK,
	N_WORDS = 2,
};

static void
raise_limit(int what, const char *name, rlim_t want)
{
	struct rlimit r = { want, want };

	if (setrlimit((__rlimit_resource_t)what, &r) == 0)
		return;
	/* no right to pass the hard limit: up to it */
	if (getrlimit((__rlimit_resource_t)what, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit((__rlimit_resource_t)what, &r) == 0)
			return;
	}
	log_warn("limit stays low: %s: %s", name, strerror(errno));
}

void
privileges_begin(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	raise_limit(RLIMIT_NOFILE, "open files", 65536);
	raise_limit(RLIMIT_MEMLOCK, "locked memory", RLIM_INFINITY);
}

/*
 * Leaves what is both ours and in KEPT; ambient and inheritable go. A service
 * manager that gave us no more than that may have forbidden capset() as well.
 */
static int
set_capabilities(void)
{
	struct __user_cap_header_struct h = { .version =
						  _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[N_WORDS];

	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (geteuid() != 0 && d[0].effective == d[0].permitted &&
	    (d[0].permitted & ~(uint32_t)KEPT) == 0 && d[1].permitted == 0)
		return 0; /* to inherit is nothing without new programs */
	for (int i = 0; i < N_WORDS; i++) {
		d[i].permitted &= i == 0 ? (uint32_t)KEPT : 0;
		d[i].effective = d[i].permitted;
		d[i].inheritable = 0;
	}
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

/* Needs CAP_SETPCAP: as long as we are root. */
static void
empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap > 31 || !((uint32_t)KEPT >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int
become(const struct passwd *pw, struct err *e)
{
	empty_bounding_set();
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return err_set(e, -errno, "cannot become user %s: %s",
		    pw->pw_name, strerror(errno));
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	return 0;
}

int
privileges_drop(const char *user, struct err *e)
{
	const struct passwd *pw;
	int rc = 0;

	if (user[0] != '\0' && geteuid() == 0) {
		errno = 0;
		pw = getpwnam(user);
		if (!pw)
			return err_set(e, errno ? -errno : -ENOENT,
			    "there is no user %s: make it (useradd --system "
			    "%s), or name another one with --user",
			    user, user);
		rc = become(pw, e);
	}
	if (rc == 0) {
		rc = set_capabilities();
		if (rc < 0)
			err_set(e, rc, "cannot drop capabilities: %s",
			    strerror(-rc));
	}
	return rc;
}
